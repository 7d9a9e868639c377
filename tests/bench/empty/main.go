// Empty serves handlers that do nothing, the limit of what a server built on gin
// and grpc-go can answer: empty HTTP-ADDRESS GRPC-ADDRESS.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/gin-gonic/gin"
	"google.golang.org/grpc"

	"slipway/server/oip"
)

// service answers every inference with an empty message.
type service struct {
	oip.UnimplementedGRPCInferenceServiceServer
}

func (service) ModelInfer(context.Context, *oip.ModelInferRequest) (*oip.ModelInferResponse, error) {
	return &oip.ModelInferResponse{}, nil
}

func main() {
	if err := serve(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "empty:", err)
		os.Exit(1)
	}
}

func serve(httpAddress, grpcAddress string) error {
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.POST("/v2/models/:model/infer", func(c *gin.Context) { c.Status(http.StatusOK) })
	router.GET("/readyz", func(c *gin.Context) { c.Status(http.StatusOK) })
	listener, err := net.Listen("tcp", grpcAddress)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	oip.RegisterGRPCInferenceServiceServer(server, service{})
	failed := make(chan error, 2)
	go func() { failed <- server.Serve(listener) }()
	go func() { failed <- router.Run(httpAddress) }()
	told, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	select {
	case err := <-failed:
		return err
	case <-told.Done():
		return nil
	}
}
