//go:build !kms

package operate

// MasterAt fails with ErrNoServices.
func MasterAt(string) (Master, error) { return nil, ErrNoServices }
