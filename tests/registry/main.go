// Command registry serves a container registry out of a folder, for scripts/pull-path-test.
//
// usage: registry FOLDER ADDRESS
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: registry FOLDER ADDRESS")
		os.Exit(2)
	}
	config := &configuration.Configuration{Storage: configuration.Storage{"filesystem": {"rootdirectory": os.Args[1]}}}
	config.Log.Level = "warn"
	server := &http.Server{
		Addr:              os.Args[2],
		Handler:           handlers.NewApp(context.Background(), config),
		ReadHeaderTimeout: time.Minute,
	}
	if err := server.ListenAndServe(); err != nil {
		fmt.Fprintln(os.Stderr, "registry:", err)
		os.Exit(1)
	}
}
