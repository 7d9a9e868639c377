package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
)

// image is one manifest of an OCI registry: an artifact with files, or a
// container image that carries models.
type image struct {
	*remote.Repository
	reference registry.Reference
	stall     time.Duration // a manifest that takes so long has failed
}

const (
	maxManifest = 4 << 20 // bytes, as registries bound it too
	maxIndexes  = 4       // documents from a tag to an image: an index may have one for each kind of platform
)

func openRegistry(reference string, o Options) (Source, error) {
	parsed, err := registry.ParseReference(reference)
	if err != nil {
		return nil, fmt.Errorf("%w; write oci://REGISTRY/REPOSITORY:TAG or …@sha256:DIGEST", err)
	}
	if parsed.Reference == "" {
		return nil, errors.New("neither a tag nor a digest; add :TAG or @sha256:DIGEST")
	}
	repository, err := remote.NewRepository(parsed.Registry + "/" + parsed.Repository)
	if err != nil {
		return nil, err
	}
	repository.PlainHTTP = o.Insecure
	client := &auth.Client{Client: &http.Client{Transport: o.transport(), CheckRedirect: o.follow}, Cache: auth.NewCache()}
	client.SetUserAgent("slipway")
	// A container may have no home: then there is no file either.
	if _, home := os.LookupEnv("HOME"); home || os.Getenv("DOCKER_CONFIG") != "" {
		store, err := credentials.NewStoreFromDocker(credentials.StoreOptions{})
		if err != nil {
			return nil, fmt.Errorf("read the registry credentials: %w", err)
		}
		client.Credential = credentials.Credential(store)
	}
	repository.Client = client
	return &image{Repository: repository, reference: parsed, stall: o.Stall}, nil
}

func (i *image) Single() bool { return false }

func (i *image) Close() error {
	i.Client.(*auth.Client).Client.CloseIdleConnections()
	return nil
}

// manifest is an index or an image's: a document that is both may be read in two ways,
// and a signature may be meant for the other one.
type manifest struct {
	Manifests []ocispec.Descriptor `json:"manifests"`
	Layers    []ocispec.Descriptor `json:"layers"`
}

func (i *image) manifest(ctx context.Context, reference string) (m manifest, err error) {
	text, err := within(ctx, i.stall, func(ctx context.Context) ([]byte, error) {
		// It checks the digest, and bounds the size.
		_, text, err := oras.FetchBytes(ctx, i, reference, oras.FetchBytesOptions{MaxBytes: maxManifest})
		return text, err
	})
	switch {
	case errors.Is(err, errdef.ErrSizeExceedsLimit):
		return m, Permanent(fmt.Errorf("manifest %s: %w", reference, err))
	case err != nil:
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, Permanent(fmt.Errorf("manifest %s: %w", reference, err))
	}
	if m.Manifests != nil && m.Layers != nil {
		return m, Permanent(fmt.Errorf("manifest %s: is both an index and an image; push it again", reference))
	}
	return m, nil
}

// List follows an index to the image of this machine.
func (i *image) List(ctx context.Context) ([]Object, error) {
	reference := i.reference.Reference
	for range maxIndexes {
		m, err := i.manifest(ctx, reference)
		if err != nil {
			return nil, err
		}
		if m.Manifests == nil {
			return objectsOf(m.Layers)
		}
		chosen, err := choose(m.Manifests)
		if err != nil {
			return nil, Permanent(err)
		}
		reference = string(chosen.Digest)
	}
	return nil, Permanent(fmt.Errorf("an index in an index, more than %d deep; name an image by @sha256:DIGEST", maxIndexes))
}

func objectsOf(layers []ocispec.Descriptor) (objects []Object, err error) {
	for _, layer := range layers {
		if layer.MediaType == ocispec.MediaTypeEmptyJSON {
			continue
		}
		o, err := objectOf(layer)
		if err != nil {
			return nil, Permanent(fmt.Errorf("layer %s: %w", layer.Digest, err))
		}
		objects = append(objects, o)
	}
	if len(objects) == 0 {
		return nil, Permanent(errors.New("the manifest has no layers, so no files"))
	}
	return objects, nil
}

// choose selects this machine's platform. A model's files are the same on all, but
// an index need not have all.
func choose(manifests []ocispec.Descriptor) (ocispec.Descriptor, error) {
	var platforms []string
	var candidates []ocispec.Descriptor
	for _, m := range manifests {
		if m.Platform != nil && m.Platform.OS == "unknown" {
			continue // an attestation, by the custom of the image builders
		}
		candidates = append(candidates, m)
		if m.Platform == nil {
			continue
		}
		if m.Platform.OS == "linux" && m.Platform.Architecture == runtime.GOARCH {
			return m, nil
		}
		platforms = append(platforms, m.Platform.OS+"/"+m.Platform.Architecture)
	}
	if len(candidates) == 1 {
		return candidates[0], nil
	}
	return ocispec.Descriptor{}, fmt.Errorf("an index of %d images (%s) and none for linux/%s; name one by @sha256:DIGEST",
		len(candidates), strings.Join(platforms, ", "), runtime.GOARCH)
}

func (i *image) Open(ctx context.Context, o Object, offset int64) (io.ReadCloser, int64, error) {
	body, err := i.Blobs().Fetch(ctx, ocispec.Descriptor{Digest: digest.Digest(o.Key), Size: o.Size})
	if err != nil || offset == 0 {
		return body, 0, err
	}
	seeker, ok := body.(io.Seeker)
	if !ok {
		return body, 0, nil
	}
	if _, err := seeker.Seek(offset, io.SeekStart); err != nil {
		return nil, 0, errors.Join(err, body.Close())
	}
	return body, offset, nil
}
