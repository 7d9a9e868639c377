package api

import (
	"context"
	"os"

	"slipway/server/fault"
	"slipway/server/serving"
)

// Index lists the versions of the repository and their states, all or only those
// that are ready.
func (a *API) Index(readyOnly bool) []serving.IndexEntry {
	all := []serving.IndexEntry{}
	for _, e := range a.Catalog.Index() {
		if !readyOnly || e.State == serving.StateReady {
			all = append(all, e)
		}
	}
	return all
}

// Load loads a model as it is in the repository. What Triton lets a request
// change of it, by parameters, is refused: a model is what its folder has.
func (a *API) Load(ctx context.Context, model string, parameters ...string) error {
	for _, name := range parameters {
		return fault.New(fault.InvalidArgument, "parameters[%q]: a model is loaded as its folder has it; change the folder and load it again", name)
	}
	return a.Catalog.LoadModel(ctx, model)
}

// Unload takes a model out of service. unload_dependents changes nothing: no
// model depends on another.
func (a *API) Unload(ctx context.Context, model string, parameters ...string) error {
	for _, name := range parameters {
		if name != "unload_dependents" {
			return fault.New(fault.InvalidArgument, "parameters[%q]: expected unload_dependents or nothing", name)
		}
	}
	return a.Catalog.UnloadModel(ctx, model)
}

// ErrNotAdministration refuses to change the models at a port that clients reach.
var ErrNotAdministration = fault.New(fault.PermissionDenied, "models are loaded and unloaded at the administration port (admin.address)")

// Golden opens the golden answers of a version, so that they can be replayed from
// elsewhere.
func (a *API) Golden(model, version string) (*os.File, error) {
	v, err := a.Catalog.Choose(model, version)
	if err != nil {
		return nil, err
	}
	if v.Golden() == "" {
		return nil, fault.New(fault.NotFound, "model %q version %s has no golden answers", v.Model, v.Number)
	}
	return v.OpenGolden()
}
