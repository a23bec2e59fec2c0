//go:build kms

package kms

import "strings"

// local begins a URL that is itself the key.
const local = "base64key:"

// hidden is an error of a service without a key in its words.
type hidden struct {
	error
	url string
}

// Error says what the service said, unless its URL is the key.
func (h hidden) Error() string {
	if strings.HasPrefix(h.url, local) {
		return "the local key does not do it"
	}
	return h.error.Error()
}

// Unwrap returns what the service said.
func (h hidden) Unwrap() error { return h.error }
