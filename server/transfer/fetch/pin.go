package fetch

import (
	"cloud.google.com/go/storage"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	azure "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"gocloud.dev/blob"
)

// pin is the content that an object had when it was listed. Reads are bound to
// it: an object replaced meanwhile is an error, not two halves in one file.
type pin struct {
	tag        string
	generation int64 // Google's
}

func newPin(a *blob.Attributes) pin {
	p := pin{tag: a.ETag}
	var google storage.ObjectAttrs
	if a.As(&google) {
		p.generation = google.Generation
	}
	return p
}

// apply puts the condition into the request of whichever provider it is.
func (p pin) apply(as func(any) bool) error {
	var options *[]func(*s3.Options)
	if as(&options) {
		*options = append(*options, quiet)
	}
	var amazon *s3.GetObjectInput
	var microsoft *azblob.DownloadStreamOptions
	var google **storage.ObjectHandle
	switch {
	case p.tag != "" && as(&amazon):
		amazon.IfMatch = &p.tag
	case p.tag != "" && as(&microsoft):
		tag := azcore.ETag(p.tag)
		microsoft.AccessConditions = &azure.AccessConditions{ModifiedAccessConditions: &azure.ModifiedAccessConditions{IfMatch: &tag}}
	case p.generation != 0 && as(&google):
		*google = (*google).If(storage.Conditions{GenerationMatch: p.generation})
	}
	return nil
}

// quiet keeps Amazon's client from writing to stderr that an object has no sum of
// the kind that it can check.
func quiet(o *s3.Options) { o.DisableLogOutputChecksumValidationSkipped = true }
