// Package kms owns the way to the key-management services of clouds, which may
// encrypt a keyset file in place of a passphrase.
//
// It is empty in the usual program: what it needs is larger than all the rest.
// The build tag kms, with the module file kms.mod, links it (make build-kms).
// It owns no format: what a service wraps is a key of 32 bytes (package seal).
//
// Start reading at Open, in open.go.
package kms
