package source

import (
	"cloud.google.com/go/storage"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	azure "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"gocloud.dev/blob"
)

// pin binds the reads of an object to the content that it had when it was listed:
// an object replaced meanwhile is an error, not two halves in one file.
func pin(listed *blob.Attributes) *blob.ReaderOptions {
	var google storage.ObjectAttrs
	listed.As(&google)
	return &blob.ReaderOptions{BeforeRead: func(as func(any) bool) error {
		var options *[]func(*s3.Options)
		if as(&options) {
			*options = append(*options, quiet)
		}
		var amazon *s3.GetObjectInput
		var microsoft *azblob.DownloadStreamOptions
		var object **storage.ObjectHandle
		switch {
		case listed.ETag != "" && as(&amazon):
			amazon.IfMatch = &listed.ETag
		case listed.ETag != "" && as(&microsoft):
			tag := azcore.ETag(listed.ETag)
			microsoft.AccessConditions = &azure.AccessConditions{ModifiedAccessConditions: &azure.ModifiedAccessConditions{IfMatch: &tag}}
		case google.Generation != 0 && as(&object):
			*object = (*object).If(storage.Conditions{GenerationMatch: google.Generation})
		}
		return nil
	}}
}

// quiet keeps Amazon's client from writing to stderr that an object has no checksum
// of a kind that it can verify.
func quiet(o *s3.Options) { o.DisableLogOutputChecksumValidationSkipped = true }
