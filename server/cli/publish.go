package cli

import (
	"context"
	"encoding/json"
	"os"
	"os/signal"
	"syscall"

	"slipway/server/transfer/publish"
)

type publishCommand struct {
	Bundle string `arg:"" help:"Folder with a model.onnx and the other files of the version." type:"existingdir"`
	Dest   string `arg:"" help:"Repository: a folder, file://, s3://BUCKET/PREFIX, gs:// or azblob://."`
	Model  string `help:"Name of the model." required:"" placeholder:"NAME"`
}

// Run prints what was published as one line of JSON. Content that the repository has
// already is not published again.
func (p publishCommand) Run() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	log, terminal := diagnostics()
	published, err := publish.Publish(ctx, p.Bundle, p.Dest, p.Model, publish.Options{Log: log, Terminal: terminal})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(published)
}
