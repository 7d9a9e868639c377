package httpapi

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"

	"github.com/gin-gonic/gin"

	"slipway/server/fault"
	"slipway/server/serving"
)

// Triton's model repository extension. What changes the models is answered on
// the administration port alone.
func (a *API) repositoryRoutes(r gin.IRoutes, administration bool) {
	r.POST("/v2/repository/index", a.repositoryIndex)
	load, unload := a.repositoryLoad, a.repositoryUnload
	if !administration {
		load, unload = forbidden, forbidden
	}
	r.POST("/v2/repository/models/:model/load", a.authenticate, load)
	r.POST("/v2/repository/models/:model/unload", a.authenticate, unload)
}

func forbidden(c *gin.Context) {
	fail(c, fault.New(fault.PermissionDenied, "models are loaded and unloaded at the administration port (admin.address)"))
}

type indexEntry struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	State   string `json:"state"`
	Reason  string `json:"reason,omitempty"`
}

func (a *API) repositoryIndex(c *gin.Context) {
	var ask struct {
		Ready bool `json:"ready"`
	}
	if err := smallJSON(c, &ask); err != nil {
		fail(c, err)
		return
	}
	all := []indexEntry{}
	for _, e := range a.Catalog.Index() {
		if !ask.Ready || e.State == serving.StateReady {
			all = append(all, indexEntry(e))
		}
	}
	c.JSON(http.StatusOK, all)
}

// repositoryLoad loads a model as it lies in the repository. What Triton lets a
// request change of it is refused: a model is what its folder says.
func (a *API) repositoryLoad(c *gin.Context) {
	var ask struct {
		Parameters map[string]any `json:"parameters"`
	}
	err := smallJSON(c, &ask)
	if err == nil && len(ask.Parameters) > 0 {
		err = fault.New(fault.InvalidArgument, "parameters: a model is loaded as its folder says; change the folder and load it again")
	}
	if err == nil {
		err = a.Catalog.LoadModel(c.Request.Context(), c.Param("model"))
	}
	done(c, err)
}

// repositoryUnload unloads a model. unload_dependents changes nothing: there are
// no ensembles.
func (a *API) repositoryUnload(c *gin.Context) {
	var ask struct {
		Parameters struct {
			UnloadDependents bool `json:"unload_dependents"`
		} `json:"parameters"`
	}
	err := smallJSON(c, &ask)
	if err == nil {
		err = a.Catalog.UnloadModel(c.Request.Context(), c.Param("model"))
	}
	done(c, err)
}

// done answers with an empty body, as Triton does.
func done(c *gin.Context, err error) {
	if err != nil {
		fail(c, err)
		return
	}
	c.Status(http.StatusOK)
}

// smallJSON reads a body that may be empty.
func smallJSON(c *gin.Context, into any) error {
	d := json.NewDecoder(io.LimitReader(c.Request.Body, 1<<20))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		return fault.New(fault.InvalidArgument, "read body: %w", err)
	}
	return nil
}

// golden gives the golden answers of a version out, so that they can be replayed
// from elsewhere.
func (a *API) golden(c *gin.Context) {
	v, err := a.Catalog.Choose(c.Param("model"), c.Param("version"))
	if err == nil && v.Golden() == "" {
		err = fault.New(fault.NotFound, "model %q version %s has no golden answers", v.Model, v.Number)
	}
	if err != nil {
		fail(c, err)
		return
	}
	body, err := os.ReadFile(v.Golden())
	if err != nil {
		fail(c, err)
		return
	}
	c.Data(http.StatusOK, "application/x-ndjson", body)
}
