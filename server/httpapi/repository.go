package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"slipway/server/api"
	"slipway/server/fault"
)

const repositoryPath = "/v2/repository/"

// Triton's model repository extension.
func (a *API) repositoryRoutes(r gin.IRoutes, load, unload gin.HandlerFunc) {
	r.POST(repositoryPath+"index", a.index)
	r.POST(repositoryPath+"models/:model/load", load)
	r.POST(repositoryPath+"models/:model/unload", unload)
}

// notHere is what other ports than that of administration have for what changes the models.
func notHere(c *gin.Context) { fail(c, api.ErrNotAdministration) }

type indexEntry struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	State   string `json:"state"`
	Reason  string `json:"reason,omitempty"`
}

func (a *API) index(c *gin.Context) {
	var request struct {
		Ready bool `json:"ready"`
	}
	if err := a.smallJSON(c, &request); err != nil {
		fail(c, err)
		return
	}
	all := []indexEntry{}
	for _, e := range a.Index(request.Ready) {
		all = append(all, indexEntry(e))
	}
	c.JSON(http.StatusOK, all)
}

func (a *API) load(c *gin.Context) {
	var request struct {
		Parameters map[string]any `json:"parameters"`
	}
	a.change(c, &request, func() error {
		maps.DeleteFunc(request.Parameters, func(_ string, value any) bool { return value == nil })
		return a.Load(c.Request.Context(), c.Param("model"), slices.Collect(maps.Keys(request.Parameters))...)
	})
}

func (a *API) unload(c *gin.Context) {
	var request struct {
		Parameters struct {
			UnloadDependents bool `json:"unload_dependents"`
		} `json:"parameters"`
	}
	a.change(c, &request, func() error {
		return a.Unload(c.Request.Context(), c.Param("model"))
	})
}

// change reads the request and changes the models. The response is empty, as
// Triton's is.
func (a *API) change(c *gin.Context, request any, change func() error) {
	err := a.smallJSON(c, request)
	if err == nil {
		err = change()
	}
	if err != nil {
		fail(c, err)
		return
	}
	c.Status(http.StatusOK)
}

// smallBytes bounds the bodies of the repository's routes.
const smallBytes = 64 << 10

// smallJSON reads a body that may be empty.
func (a *API) smallJSON(c *gin.Context, into any) error {
	charge := a.Memory.Charge()
	defer charge.Release()
	body, err := a.readBody(c, smallBytes, charge)
	if err != nil {
		return err
	}
	defer body.giveBack()
	d := json.NewDecoder(bytes.NewReader(body.Bytes))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		return fault.New(fault.InvalidArgument, "read body: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fault.New(fault.InvalidArgument, "read body: something follows the JSON object at byte %d", d.InputOffset())
	}
	return nil
}

// golden returns the golden answers of a version, a JSON document on each line.
func (a *API) golden(c *gin.Context) {
	file, err := a.Golden(c.Param("model"), c.Param("version"))
	if err != nil {
		fail(c, err)
		return
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		fail(c, err)
		return
	}
	c.DataFromReader(http.StatusOK, info.Size(), "application/x-ndjson", io.LimitReader(file, info.Size()), nil)
}
