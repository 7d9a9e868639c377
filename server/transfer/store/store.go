// Package store opens object stores by their URL: s3://, gs:// and azblob://.
package store

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

// Open takes the provider's credentials from where its SDK looks for them. What
// the URL has as its path is the caller's.
func Open(ctx context.Context, u *url.URL) (*blob.Bucket, error) {
	if u.Host == "" {
		return nil, fmt.Errorf("no bucket; write %s://BUCKET/PREFIX", u.Scheme)
	}
	query := u.Query()
	if u.Scheme == "s3" && query.Has("endpoint") && !query.Has("use_path_style") {
		query.Set("use_path_style", "true") // a store of one's own has no name per bucket
	}
	b, err := blob.OpenBucket(ctx, (&url.URL{Scheme: u.Scheme, Host: u.Host, RawQuery: query.Encode()}).String())
	if err != nil {
		return nil, err
	}
	var client *storage.Client
	if b.As(&client) {
		client.SetRetry(storage.WithMaxAttempts(1)) // ours are bounded, its are not
	}
	return b, nil
}
