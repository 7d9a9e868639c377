package config_test

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/config"
)

func TestParse(t *testing.T) {
	full := config.Default()
	full.Models, full.DefaultModel = "/m", "iris"
	full.HTTP = config.HTTP{
		Address: ":1", MaxBodyBytes: 10, TrustedProxies: []string{"10.0.0.0/8"}, IdleTimeout: time.Hour,
		CORS: config.CORS{AllowedOrigins: []string{"*"}, AllowedMethods: []string{"GET"}, AllowedHeaders: []string{"X-A"}},
	}
	full.Admin.Address = ":2"
	full.Auth.KeysFile = "/k"
	full.Log.Name = "debug"
	full.Shutdown = config.Shutdown{Delay: 0, GracePeriod: time.Minute}
	full.Repository.LoadTimeout = time.Minute
	full.Trial = config.Trial{Enabled: false, Memory: 7}
	full.CrashMarks = config.CrashMarks{Folder: "/marks"}
	full.ONNXRuntime = config.ONNXRuntime{Library: "/l.so", IntraOpThreads: 3}

	for name, test := range map[string]struct {
		text string
		want config.Config
		err  []string
	}{
		"an empty document keeps the defaults": {text: "", want: config.Default()},
		"comments only":                        {text: "# nothing\n", want: config.Default()},
		"every key": {text: `
models: /m
defaultModel: iris
http: {address: ":1", maxBodyBytes: 10, trustedProxies: [10.0.0.0/8], idleTimeout: 1h, cors: {allowedOrigins: ["*"], allowedMethods: [GET], allowedHeaders: [X-A]}}
admin: {address: ":2"}
auth: {keysFile: /k}
log: {level: debug}
shutdown: {delay: 0s, gracePeriod: 1m}
repository: {loadTimeout: 1m}
trial: {enabled: false, memory: 7}
crashMarks: {folder: /marks}
onnxruntime: {library: /l.so, intraOpThreads: 3}
`, want: full},
		"unknown key names the line": {text: "models: /m\nmodel: x\n", err: []string{"2:1", `model: unknown key`}},
		"unknown key below":          {text: "http:\n  port: 80\n", err: []string{"2:3", `port: unknown key`}},
		"repeated key":               {text: "models: /a\nmodels: /b\n", err: []string{"2:1", `"models" already defined`}},
		"wrong type":                 {text: "http:\n  maxBodyBytes: many\n", err: []string{"2:17"}},
		"not YAML":                   {text: "a: [", err: []string{"1:"}},
		"two documents":              {text: "models: /a\n---\nmodels: /b\n", err: []string{"more than one YAML document"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := config.Parse([]byte(test.text))
			if test.err == nil {
				require.NoError(t, err)
				assert.Equal(t, test.want, got)
				return
			}
			for _, part := range test.err {
				assert.ErrorContains(t, err, part)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	c := config.Default()
	c.Log.Name = "warn"
	require.NoError(t, c.Validate())
	assert.Equal(t, slog.LevelWarn, c.Log.Level)

	for key, spoil := range map[string]func(*config.Config){
		"models":                     func(c *config.Config) { c.Models = "" },
		"http.maxBodyBytes":          func(c *config.Config) { c.HTTP.MaxBodyBytes = 0 },
		"http.idleTimeout":           func(c *config.Config) { c.HTTP.IdleTimeout = 0 },
		"http.cors.allowedMethods":   func(c *config.Config) { c.HTTP.CORS.AllowedMethods = []string{"GET"} },
		"http.address":               func(c *config.Config) { c.HTTP.Address = "8080" },
		"admin.address":              func(c *config.Config) { c.Admin.Address = "nowhere" },
		"http.address and admin":     func(c *config.Config) { c.Admin.Address = c.HTTP.Address },
		"log.level":                  func(c *config.Config) { c.Log.Name = "loud" },
		"shutdown.delay":             func(c *config.Config) { c.Shutdown.Delay = -1 },
		"shutdown.gracePeriod":       func(c *config.Config) { c.Shutdown.GracePeriod = -1 },
		"repository.required":        func(c *config.Config) { c.Repository.Required = []string{"a", ""} },
		"repository.loadTimeout":     func(c *config.Config) { c.Repository.LoadTimeout = 0 },
		"trial.memory":               func(c *config.Config) { c.Trial.Memory = -1 },
		"onnxruntime.intraOpThreads": func(c *config.Config) { c.ONNXRuntime.IntraOpThreads = -1 },
	} {
		c := config.Default()
		spoil(&c)
		assert.ErrorContains(t, c.Validate(), key)
	}
}

func TestYAMLRefuses(t *testing.T) {
	secret := strings.Repeat("hunter2", 20)
	for name, test := range map[string]struct{ text, err string }{
		"a deep one":       {"models: " + strings.Repeat("[", 10_000), "[1:73] nested more than 64 deep"},
		"deep lists":       {strings.Repeat("- ", 1000), "nested more than 64 deep"},
		"100,000 deep":     {"models: " + strings.Repeat("[", 100_000), "the limit is 65536"},
		"a large one":      {"# " + strings.Repeat("x", 1<<16), "65538 bytes; the limit is 65536"},
		"many words":       {"models: [" + strings.Repeat("1, ", 20_000) + "]", "YAML tokens; the limit is 20000"},
		"an alias":         {"models: &m /m\nhttp: {address: *m}", "[2:17] an alias is not read; write what it stands for"},
		"other than a map": {secret, "[1:1]"},
		"a secret":         {"models: /m\n" + secret + ": " + secret, ": unknown key"},
		"lines around":     {"models: /m\n# " + secret + "\nhttp: 1\n", "[3:7]"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := config.Parse([]byte(test.text))
			require.ErrorContains(t, err, test.err)
			assert.NotContains(t, err.Error(), secret[:50])
			assert.Less(t, len(err.Error()), 300)
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("models: /m\nhttp: {address: ':1'}\nshutdown: {delay: 1s}"))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := config.Parse(body)
		if err != nil {
			assert.NotEmpty(t, err.Error())
			assert.NotContains(t, err.Error(), "Go value")
			assert.NotContains(t, err.Error(), "Go struct")
			return
		}
		_ = c.Validate()
	})
}

func TestTrustedProxies(t *testing.T) {
	c := config.Default()
	c.HTTP.TrustedProxies = []string{"10.0.0.0/8", "192.0.2.7", "fd00::/8"}
	require.NoError(t, c.Validate())
	all, err := c.HTTP.Proxies()
	require.NoError(t, err)
	assert.Equal(t, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.7/32"), netip.MustParsePrefix("fd00::/8")}, all)
	c.HTTP.TrustedProxies = []string{"ingress.example"}
	require.ErrorContains(t, c.Validate(), "http.trustedProxies")
}

func TestCORS(t *testing.T) {
	for origin, ok := range map[string]bool{
		"*": true, "https://app.example": true, "http://localhost:3000": true, "https://*.app.example": true, "chrome-extension://abc": true,
		"": false, "app.example": false, "https://app.example/": false, "https://app.example/path": false, "https://": false, "https://a b": false, "https://**.example": false,
	} {
		c := config.Default()
		c.HTTP.CORS.AllowedOrigins = []string{"https://first.example", origin}
		if ok {
			assert.NoError(t, c.Validate(), origin)
		} else {
			assert.ErrorContains(t, c.Validate(), "http.cors.allowedOrigins[1]", origin)
		}
	}
	c := config.Default()
	c.HTTP.CORS = config.CORS{AllowedOrigins: []string{"*"}, AllowedMethods: []string{"GET", "get"}, AllowedHeaders: []string{"*", "X-A", "X A"}}
	assert.ErrorContains(t, c.Validate(), `http.cors.allowedMethods[1]: got "get", want GET, HEAD, POST`)
	assert.ErrorContains(t, c.Validate(), `http.cors.allowedHeaders[2]: got "X A"`)
}

// Without API keys nobody but this machine reaches the administration, unless an
// address says so.
func TestAdminAddress(t *testing.T) {
	for _, c := range []struct{ address, keys, want string }{
		{"", "", "127.0.0.1:9090"},
		{"", "/keys", ":9090"},
		{":9090", "", ":9090"},
		{"127.0.0.1:1", "/keys", "127.0.0.1:1"},
	} {
		all := config.Default()
		all.Admin.Address, all.Auth.KeysFile = c.address, c.keys
		assert.Equal(t, c.want, all.AdminAddress())
	}
}
