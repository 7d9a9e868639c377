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

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
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
}

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
	client := &auth.Client{Client: &http.Client{Transport: o.transport()}, Cache: auth.NewCache()}
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
	return &image{Repository: repository, reference: parsed}, nil
}

func (i *image) Single() bool { return false }

func (i *image) Close() error {
	i.Client.(*auth.Client).Client.CloseIdleConnections()
	return nil
}

func (i *image) List(ctx context.Context) (objects []Object, err error) {
	var manifest struct { // of an index or of an image
		Manifests []ocispec.Descriptor `json:"manifests"`
		Layers    []ocispec.Descriptor `json:"layers"`
	}
	for reference := i.reference.Reference; ; {
		_, text, err := oras.FetchBytes(ctx, i, reference, oras.FetchBytesOptions{}) // checks the digest
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &manifest); err != nil {
			return nil, Permanent(fmt.Errorf("manifest %s: %w", reference, err))
		}
		if manifest.Manifests == nil {
			break
		}
		chosen, err := choose(manifest.Manifests)
		if err != nil {
			return nil, Permanent(err)
		}
		reference, manifest.Manifests = string(chosen.Digest), nil
	}
	for _, layer := range manifest.Layers {
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
