package config

import (
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"time"
)

// Config configures one server.
type Config struct {
	// Models is the repository folder: <model>/<version>/model.onnx.
	Models string `yaml:"models"`
	// DefaultModel serves /predict without a name; empty means the only model.
	DefaultModel string      `yaml:"defaultModel"`
	Repository   Repository  `yaml:"repository"`
	HTTP         HTTP        `yaml:"http"`
	GRPC         GRPC        `yaml:"grpc"`
	Admin        Admin       `yaml:"admin"`
	Auth         Auth        `yaml:"auth"`
	Memory       Memory      `yaml:"memory"`
	Log          Log         `yaml:"log"`
	Tracing      Tracing     `yaml:"tracing"`
	Shutdown     Shutdown    `yaml:"shutdown"`
	ONNXRuntime  ONNXRuntime `yaml:"onnxruntime"`
	Trial        Trial       `yaml:"trial"`
	CrashMarks   CrashMarks  `yaml:"crashMarks"`
}

// Control selects how the models of the repository are loaded and unloaded.
type Control string

// The ways to control a repository, under the names that Triton has for them.
const (
	ControlPoll     Control = "poll"     // changes of the folder are loaded and unloaded
	ControlNone     Control = "none"     // the folder as it is when the server starts
	ControlExplicit Control = "explicit" // Load, and the load and unload routes
)

// Repository configures how changes of the repository folder are followed.
type Repository struct {
	Control Control `yaml:"control"`
	// PollInterval is how often the folder is scanned. A change is loaded when two
	// scans in a row have found the same state.
	PollInterval time.Duration `yaml:"pollInterval"`
	// Load names the models that an explicit repository starts with.
	Load []string `yaml:"load"`
	// Required names the models without which the server is not ready; empty: what
	// could be loaded is enough.
	Required []string `yaml:"required"`
	// LoadTimeout bounds the trial of a version, and then its load.
	LoadTimeout time.Duration `yaml:"loadTimeout"`
}

// HTTP configures the listener for predictions.
type HTTP struct {
	Address      string `yaml:"address"`
	MaxBodyBytes int64  `yaml:"maxBodyBytes"`
	// TrustedProxies are the addresses and networks of proxies whose X-Forwarded-For
	// is believed, over both protocols.
	TrustedProxies []string `yaml:"trustedProxies"`
	// IdleTimeout is how long a connection stays open without a request. It must be longer
	// than that of a load balancer before the server, which would send a request into a
	// connection that closes.
	IdleTimeout time.Duration `yaml:"idleTimeout"`
	CORS        CORS          `yaml:"cors"`
}

// Proxies returns the networks of TrustedProxies.
func (h HTTP) Proxies() (all []netip.Prefix, err error) {
	for _, text := range h.TrustedProxies {
		network, err := netip.ParsePrefix(text)
		if address, single := netip.ParseAddr(text); single == nil {
			network, err = netip.PrefixFrom(address, address.BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("http.trustedProxies: must be an address or a network such as 10.0.0.0/8, is %q", text)
		}
		all = append(all, network.Masked())
	}
	return all, nil
}

// GRPC configures the listener for predictions over gRPC. An empty address
// switches it off.
type GRPC struct {
	Address         string `yaml:"address"`
	MaxMessageBytes int    `yaml:"maxMessageBytes"`
}

// Admin configures the listener for metrics, profiles and the loading of models,
// which no Ingress exposes.
type Admin struct {
	// Address empty means port 9090: with API keys of all addresses, without them of
	// loopback only.
	Address string `yaml:"address"`
}

// AdminAddress returns the address for administration.
func (c *Config) AdminAddress() string {
	switch {
	case c.Admin.Address != "":
		return c.Admin.Address
	case c.Auth.KeysFile != "":
		return ":9090"
	}
	return "127.0.0.1:9090"
}

// Auth turns API keys on when KeysFile is set.
type Auth struct {
	KeysFile string `yaml:"keysFile"`
}

// Memory bounds what requests hold.
type Memory struct {
	// Limit is the bytes that the process may use; 0 is the container's limit, or the
	// machine's memory.
	Limit int64 `yaml:"limit"`
	// Budget is the bytes that all requests may hold together; 0 derives it from the
	// container's limit and what the models take.
	Budget int64 `yaml:"budget"`
	// MaxResponseBytes bounds one response.
	MaxResponseBytes int64 `yaml:"maxResponseBytes"`
}

// Log configures how much is logged.
type Log struct {
	Level slog.Level `yaml:"-"`
	// Name is the level's name in the document: debug, info, warn or error.
	Name string `yaml:"level"`
}

// Tracing sends OpenTelemetry spans when Endpoint is set.
type Tracing struct {
	// Endpoint is an OTLP receiver over gRPC, such as http://collector:4317.
	Endpoint string `yaml:"endpoint"`
	// SampleRatio of the requests whose caller has not decided, 0 to 1.
	SampleRatio float64 `yaml:"sampleRatio"`
}

// Shutdown configures how long a server runs after SIGTERM.
type Shutdown struct {
	// Delay is how long it still accepts new requests while it is not ready, until
	// the Service no longer sends any.
	Delay time.Duration `yaml:"delay"`
	// GracePeriod is how long requests in flight then have to finish.
	GracePeriod time.Duration `yaml:"gracePeriod"`
}

// ONNXRuntime configures where the library is and how many threads a run may use.
type ONNXRuntime struct {
	// Library is the shared library's path; empty means beside the binary.
	Library string `yaml:"library"`
	// IntraOpThreads of one run; 0 means the container's CPU limit.
	IntraOpThreads int `yaml:"intraOpThreads"`
}

// leastLimit is what an idle server with a small model takes.
const leastLimit = 128 << 20

// leastBudget is what a few small requests hold.
const leastBudget = 1 << 20

// Trial configures the child process in which a version proves itself before the
// server opens it.
type Trial struct {
	Enabled bool `yaml:"enabled"`
	// Memory is the most bytes of one trial; 0 means what the container has left.
	Memory int64 `yaml:"memory"`
}

// CrashMarks marks in Folder which model is running, for the time after a crash.
type CrashMarks struct {
	// Folder outlives the process; empty turns the marks off.
	Folder string `yaml:"folder"`
}

// Default returns the configuration of a server without a configuration file.
func Default() Config {
	return Config{
		Models:     "/models",
		Repository: Repository{Control: ControlPoll, PollInterval: 5 * time.Second, LoadTimeout: 7 * time.Minute},
		HTTP:       HTTP{Address: ":8080", MaxBodyBytes: 64 << 20, IdleTimeout: 620 * time.Second},
		GRPC:       GRPC{Address: ":8081", MaxMessageBytes: 64 << 20},
		Memory:     Memory{MaxResponseBytes: 256 << 20},
		Log:        Log{Name: "info"},
		Tracing:    Tracing{SampleRatio: 1},
		Shutdown:   Shutdown{Delay: 5 * time.Second, GracePeriod: 25 * time.Second},
		Trial:      Trial{Enabled: true},
	}
}

// Load reads the document at path over the defaults. It does not Validate,
// since flags may still come on top.
func Load(path string) (Config, error) {
	body, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("read configuration: %w", err)
	}
	c, err := Parse(body)
	if err != nil {
		return Config{}, fmt.Errorf("read configuration %s: %w", path, err)
	}
	return c, nil
}

// Parse reads a document over the defaults.
func Parse(body []byte) (Config, error) {
	c := Default()
	if err := DecodeYAML(body, &c); err != nil {
		return Config{}, err
	}
	return c, nil
}
