//go:build kms

package main

import (
	"purser/internal/kms"
	"purser/internal/server"
)

// masterAt names a key of a key-management service.
func masterAt(url string) (server.Master, error) { return kms.Open(url), nil }
