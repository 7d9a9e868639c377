package transfer

import (
	"context"
	"fmt"
	"net/url"

	"cloud.google.com/go/storage"
	"gocloud.dev/blob"
	_ "gocloud.dev/blob/azureblob" // azblob://
	_ "gocloud.dev/blob/gcsblob"   // gs://
	_ "gocloud.dev/blob/s3blob"    // s3://
)

// OpenBucket opens the object store of an s3, gs or azblob URL. The provider's SDK
// finds the credentials. The URL's path is left to the caller.
func (l Location) OpenBucket(ctx context.Context) (*blob.Bucket, error) {
	if l.URL.Host == "" {
		return nil, fmt.Errorf("no bucket; write %s://BUCKET/PREFIX", l.Scheme)
	}
	query := l.URL.Query()
	if l.Scheme == S3 && query.Has("endpoint") && !query.Has("use_path_style") {
		query.Set("use_path_style", "true") // a self-hosted store has no host name for each bucket
	}
	b, err := blob.OpenBucket(ctx, (&url.URL{Scheme: l.Scheme, Host: l.URL.Host, RawQuery: query.Encode()}).String())
	if err != nil {
		return nil, err
	}
	var client *storage.Client
	if b.As(&client) {
		client.SetRetry(storage.WithMaxAttempts(1)) // fetch bounds its retries, this client does not
	}
	return b, nil
}
