package operate

import "errors"

// Master is a key of a key-management service that encrypts the keyset file.
type Master interface {
	Wrap(key []byte) ([]byte, error)
	Unwrap(wrapped []byte) ([]byte, error)
}

// ErrNoServices says that this program knows no key-management service.
var ErrNoServices = errors.New("keyset_kms is set and this program is built without key-management services: " +
	"run the one that make build-kms builds (docs/operate/keys.md)")
