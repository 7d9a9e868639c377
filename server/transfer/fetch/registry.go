package fetch

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
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
)

const (
	dockerManifestList = "application/vnd.docker.distribution.manifest.list.v2+json"
	longestManifest    = 4 << 20
)

// image is one manifest of an OCI registry: an artifact with files, or a
// container image that carries models.
type image struct {
	*remote.Repository
	reference registry.Reference
}

func openRegistry(reference string, o Options) (source, error) {
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
	client := &auth.Client{Client: &http.Client{Transport: transport(o)}, Cache: auth.NewCache()}
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

func (i *image) single() bool { return false }

func (i *image) close() error {
	i.Client.(*auth.Client).Client.CloseIdleConnections()
	return nil
}

func (i *image) list(ctx context.Context) ([]object, error) {
	descriptor, err := i.Resolve(ctx, i.reference.Reference)
	if err != nil {
		return nil, err
	}
	if descriptor.MediaType == ocispec.MediaTypeImageIndex || descriptor.MediaType == dockerManifestList {
		var index ocispec.Index
		if err := i.read(ctx, descriptor, &index); err != nil {
			return nil, err
		}
		if descriptor, err = choose(index); err != nil {
			return nil, permanent(err)
		}
	}
	var manifest ocispec.Manifest
	if err := i.read(ctx, descriptor, &manifest); err != nil {
		return nil, err
	}
	objects, err := objectsOf(manifest.Layers)
	if err != nil {
		return nil, permanent(err)
	}
	return objects, nil
}

// read fetches a manifest; its digest is checked.
func (i *image) read(ctx context.Context, d ocispec.Descriptor, into any) error {
	if d.Size > longestManifest {
		return permanent(fmt.Errorf("manifest %s has %d bytes; at most %d are read", d.Digest, d.Size, longestManifest))
	}
	body, err := content.FetchAll(ctx, i.Manifests(), d)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return permanent(fmt.Errorf("manifest %s: %w", d.Digest, err))
	}
	return nil
}

// choose takes this machine's platform; a model's files are the same on all, but
// an index need not have all.
func choose(index ocispec.Index) (ocispec.Descriptor, error) {
	var platforms []string
	var candidates []ocispec.Descriptor
	for _, m := range index.Manifests {
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

func (i *image) open(ctx context.Context, o object, offset int64) (io.ReadCloser, int64, error) {
	body, err := i.Blobs().Fetch(ctx, ocispec.Descriptor{Digest: digest.Digest(o.key), Size: o.size})
	if err != nil || offset == 0 {
		return body, 0, err
	}
	seeker, can := body.(io.Seeker)
	if !can {
		return body, 0, nil
	}
	if _, err := seeker.Seek(offset, io.SeekStart); err != nil {
		return nil, 0, errors.Join(err, body.Close())
	}
	return body, offset, nil
}
