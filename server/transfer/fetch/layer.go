package fetch

import (
	"errors"
	"fmt"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// What the makers of model artifacts write beside the OCI annotations.
const (
	annotationUnpack   = "io.deis.oras.content.unpack" // ORAS: a folder, as a tar whose names begin with the title
	annotationFilepath = "org.cncf.model.filepath"     // ModelPack and Docker's model tools
	licenseType        = "application/vnd.docker.ai.license"
	dockerLayer        = "application/vnd.docker.image.rootfs.diff.tar.gzip"
	sha256Prefix       = "sha256:"
)

// objectsOf says what each layer of a manifest is.
func objectsOf(layers []ocispec.Descriptor) ([]object, error) {
	var objects []object
	for _, layer := range layers {
		if layer.MediaType == ocispec.MediaTypeEmptyJSON {
			continue
		}
		o, err := objectOf(layer)
		if err != nil {
			return nil, fmt.Errorf("layer %s: %w", layer.Digest, err)
		}
		objects = append(objects, o)
	}
	if len(objects) == 0 {
		return nil, errors.New("the manifest has no layers, so no files")
	}
	return objects, nil
}

func objectOf(layer ocispec.Descriptor) (object, error) {
	sum, isSum := strings.CutPrefix(string(layer.Digest), sha256Prefix)
	if !isSum || !isSHA256(sum) {
		return object{}, fmt.Errorf("digest %s is not a sha256; push it again with one", layer.Digest)
	}
	o := object{key: string(layer.Digest), size: layer.Size, tag: string(layer.Digest), sha256: sum, name: sum}
	title := layer.Annotations[ocispec.AnnotationTitle]
	if title == "" {
		title = layer.Annotations[annotationFilepath]
	}
	kind := strings.TrimSuffix(layer.MediaType, "+gzip")
	switch {
	case layer.Annotations[annotationUnpack] == "true":
		o.packing = tarball
	case layer.MediaType == dockerLayer, kind == ocispec.MediaTypeImageLayer && title == "":
		o.packing = imageLayer
	case strings.HasSuffix(kind, "+zstd"):
		return object{}, fmt.Errorf("media type %s: zstd is not read; build the image with gzip", layer.MediaType)
	case strings.HasSuffix(kind, ".tar") && kind != ocispec.MediaTypeImageLayer:
		o.packing = tarball
	case title != "":
		o.name = strings.TrimPrefix(title, "./")
	case strings.Contains(layer.MediaType, "onnx"):
		o.name = modelFile
	case layer.MediaType == licenseType:
		o.name = "LICENSE"
	default:
		return object{}, fmt.Errorf("media type %s with no name; push it with the annotation %s", layer.MediaType, ocispec.AnnotationTitle)
	}
	return o, nil
}
