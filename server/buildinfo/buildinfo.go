package buildinfo

// Set with -ldflags "-X slipway/server/buildinfo.Version=… -X slipway/server/buildinfo.Revision=…".
var (
	Version  = "dev"     // of the release
	Revision = "unknown" // of the source
)
