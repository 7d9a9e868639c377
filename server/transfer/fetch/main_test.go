package fetch_test

import (
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/sirupsen/logrus"
)

// TestMain gives the SDKs this environment: without the credentials of whoever runs
// the tests, and without a search for a cloud's metadata service.
func TestMain(m *testing.M) {
	home, err := os.MkdirTemp("", "fetch")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for name, value := range map[string]string{
		"HOME":                           home,
		"DOCKER_CONFIG":                  home,
		"AWS_ACCESS_KEY_ID":              "key",
		"AWS_SECRET_ACCESS_KEY":          "secret",
		"AWS_EC2_METADATA_DISABLED":      "true",
		"AWS_MAX_ATTEMPTS":               "1",
		"GOOGLE_APPLICATION_CREDENTIALS": "",
		"GCE_METADATA_HOST":              "127.0.0.1:1",
		"AZURE_STORAGE_ACCOUNT":          azureAccount,
		"AZURE_STORAGE_KEY":              "c2VjcmV0",
	} {
		if err := os.Setenv(name, value); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	logrus.SetOutput(io.Discard) // the registry logs each response that is an error
	code := m.Run()
	_ = os.RemoveAll(home)
	os.Exit(code)
}
