// Package config is the server's one strict YAML document: its defaults, its
// checks, and the file of API keys that it names. An unknown or repeated key is
// an error that names the line.
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Config is what one server is told.
type Config struct {
	// Models is the repository folder: <model>/<version>/model.onnx.
	Models string `yaml:"models"`
	// DefaultModel answers /predict without a name; empty means the only model there is.
	DefaultModel string      `yaml:"defaultModel"`
	HTTP         HTTP        `yaml:"http"`
	Admin        Admin       `yaml:"admin"`
	Auth         Auth        `yaml:"auth"`
	Log          Log         `yaml:"log"`
	Shutdown     Shutdown    `yaml:"shutdown"`
	ONNXRuntime  ONNXRuntime `yaml:"onnxruntime"`
}

// HTTP is the door for predictions.
type HTTP struct {
	Address      string `yaml:"address"`
	MaxBodyBytes int64  `yaml:"maxBodyBytes"`
}

// Admin is the door for metrics, which no Ingress exposes.
type Admin struct {
	Address string `yaml:"address"`
}

// Auth turns API keys on when KeysFile is set.
type Auth struct {
	KeysFile string `yaml:"keysFile"`
}

// Log says how much is logged.
type Log struct {
	Level slog.Level `yaml:"-"`
	// Name is the level's name in the document: debug, info, warn or error.
	Name string `yaml:"level"`
}

// Shutdown says how long a server that was told to stop goes on.
type Shutdown struct {
	// Delay is how long it still takes new requests, not ready, until the
	// Service has forgotten it.
	Delay time.Duration `yaml:"delay"`
	// GracePeriod is how long requests in flight then have to finish.
	GracePeriod time.Duration `yaml:"gracePeriod"`
}

// ONNXRuntime says where the library is and how many threads a run may use.
type ONNXRuntime struct {
	// Library is the shared library's path; empty means beside the binary.
	Library string `yaml:"library"`
	// IntraOpThreads of one run; 0 means the container's CPU limit.
	IntraOpThreads int `yaml:"intraOpThreads"`
}

// Default is the configuration of a server that is told nothing.
func Default() Config {
	return Config{
		Models:   "/models",
		HTTP:     HTTP{Address: ":8080", MaxBodyBytes: 64 << 20},
		Admin:    Admin{Address: ":9090"},
		Log:      Log{Name: "info"},
		Shutdown: Shutdown{Delay: 5 * time.Second, GracePeriod: 25 * time.Second},
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
	file, err := parser.ParseBytes(body, 0)
	if err != nil {
		return Config{}, errors.New(yaml.FormatError(err, false, true))
	}
	if len(file.Docs) > 1 {
		return Config{}, errors.New("more than one YAML document; keep one")
	}
	if len(file.Docs) == 0 || empty(file.Docs[0].Body) {
		return c, nil // decoding it would clear the defaults
	}
	if err := yaml.NodeToValue(file.Docs[0].Body, &c, yaml.Strict()); err != nil {
		return Config{}, errors.New(yaml.FormatError(err, false, true))
	}
	return c, nil
}

// empty tells a document of nothing but comments from one that says something.
func empty(n ast.Node) bool {
	return n == nil || n.Type() == ast.NullType || n.Type() == ast.CommentType
}

// Validate checks each value and names the key that is wrong.
func (c *Config) Validate() error {
	var all []error
	wrong := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	if c.Models == "" {
		wrong("models: must name the repository folder")
	}
	if c.HTTP.MaxBodyBytes <= 0 {
		wrong("http.maxBodyBytes: must be positive, is %d", c.HTTP.MaxBodyBytes)
	}
	for key, address := range map[string]string{"http.address": c.HTTP.Address, "admin.address": c.Admin.Address} {
		if _, _, err := net.SplitHostPort(address); err != nil {
			wrong("%s: must be host:port or :port, is %q", key, address)
		}
	}
	if c.HTTP.Address == c.Admin.Address && !anyPort(c.HTTP.Address) {
		wrong("http.address and admin.address: must differ, both are %q", c.HTTP.Address)
	}
	if err := c.Log.Level.UnmarshalText([]byte(c.Log.Name)); err != nil {
		wrong("log.level: must be debug, info, warn or error, is %q", c.Log.Name)
	}
	if c.Shutdown.Delay < 0 {
		wrong("shutdown.delay: must not be negative, is %s", c.Shutdown.Delay)
	}
	if c.Shutdown.GracePeriod < 0 {
		wrong("shutdown.gracePeriod: must not be negative, is %s", c.Shutdown.GracePeriod)
	}
	if c.ONNXRuntime.IntraOpThreads < 0 {
		wrong("onnxruntime.intraOpThreads: must not be negative, is %d", c.ONNXRuntime.IntraOpThreads)
	}
	return errors.Join(all...)
}

func anyPort(address string) bool {
	_, port, err := net.SplitHostPort(address)
	return err == nil && port == "0"
}
