package config

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"
)

// ParseBytes reads a number of bytes, not negative, as Kubernetes writes it: 1048576
// and 1Mi alike. More than an int64 holds becomes the largest.
func ParseBytes(text string) (int64, error) {
	q, err := resource.ParseQuantity(text)
	if n := q.Value(); err == nil && n >= 0 && q.CmpInt64(n) == 0 {
		return n, nil
	}
	return 0, fmt.Errorf("got %q, expected a number of bytes such as 268435456 or 256Mi", text)
}
