//go:build !kms

package main

import (
	"errors"

	"purser/internal/server"
)

// masterAt says that this program does not know any service.
func masterAt(string) (server.Master, error) {
	return nil, errors.New("keyset_kms is set and this program is built without key-management services: " +
		"run the one that make build-kms builds (docs/operate/keys.md)")
}
