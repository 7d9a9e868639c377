package source

import (
	"fmt"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"slipway/server/bundle"
)

// What tools that make model artifacts write beside the OCI annotations.
const (
	annotationUnpack   = "io.deis.oras.content.unpack" // ORAS: a folder, as a tar whose names begin with the title
	annotationFilepath = "org.cncf.model.filepath"     // ModelPack and Docker's model tools
	licenseType        = "application/vnd.docker.ai.license"
	dockerLayer        = "application/vnd.docker.image.rootfs.diff.tar.gzip"
)

// objectOf returns what a layer of a manifest is.
func objectOf(layer ocispec.Descriptor) (Object, error) {
	sum, ok := bundle.ParseSHA256(string(layer.Digest))
	if !ok {
		return Object{}, fmt.Errorf("digest %s is not a sha256; push the artifact again with one", layer.Digest)
	}
	o := Object{Key: string(layer.Digest), Size: layer.Size, Tag: string(layer.Digest), SHA256: sum, Name: sum}
	title := layer.Annotations[ocispec.AnnotationTitle]
	if title == "" {
		title = layer.Annotations[annotationFilepath]
	}
	kind := strings.TrimSuffix(layer.MediaType, "+gzip")
	switch {
	case layer.Annotations[annotationUnpack] == "true":
		o.Packing = Tarball
	case layer.MediaType == dockerLayer, kind == ocispec.MediaTypeImageLayer && title == "":
		o.Packing = ImageLayer
	case strings.HasSuffix(kind, "+zstd"):
		return Object{}, fmt.Errorf("media type %s: zstd is not supported; build the image with gzip", layer.MediaType)
	case strings.HasSuffix(kind, ".tar") && kind != ocispec.MediaTypeImageLayer:
		o.Packing = Tarball
	case title != "":
		o.Name = strings.TrimPrefix(title, "./")
	case strings.Contains(layer.MediaType, "onnx"):
		o.Name = bundle.ModelFile
	case layer.MediaType == licenseType:
		o.Name = "LICENSE"
	default:
		return Object{}, fmt.Errorf("media type %s with no name; push it with the annotation %s", layer.MediaType, ocispec.AnnotationTitle)
	}
	return o, nil
}
