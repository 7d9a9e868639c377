//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"
)

// cluster is the one cluster that all tests share.
var cluster *kubernetesCluster

func TestMain(m *testing.M) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	var err error
	cluster, err = connect(ctx)
	cancel()
	if err != nil {
		fmt.Fprintf(os.Stderr, "e2e: %v\nRun `make e2e`: it brings up the cluster, builds and loads the image, and runs these tests.\n", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}
