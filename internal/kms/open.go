//go:build kms

package kms

import (
	"context"
	"fmt"
	"time"

	"gocloud.dev/secrets"
	_ "gocloud.dev/secrets/awskms"        // awskms://KEY?region=REGION
	_ "gocloud.dev/secrets/azurekeyvault" // azurekeyvault://VAULT.vault.azure.net/keys/KEY
	_ "gocloud.dev/secrets/gcpkms"        // gcpkms://projects/…/cryptoKeys/KEY
	_ "gocloud.dev/secrets/localsecrets"  // base64key://KEY: for tests
)

// patience is how long a service may take over one question.
const patience = 30 * time.Second

// Master is a key of a service. It keeps no connection.
type Master struct{ url string }

// Open names the key at url. Nothing is asked before it is needed.
func Open(url string) *Master { return &Master{url} }

// Wrap encrypts a key.
func (m *Master) Wrap(key []byte) ([]byte, error) {
	return m.ask("wrap", func(ctx context.Context, k *secrets.Keeper) ([]byte, error) { return k.Encrypt(ctx, key) })
}

// Unwrap decrypts what Wrap gave.
func (m *Master) Unwrap(wrapped []byte) ([]byte, error) {
	return m.ask("unwrap", func(ctx context.Context, k *secrets.Keeper) ([]byte, error) { return k.Decrypt(ctx, wrapped) })
}

// ask opens the service and closes it again. Its own words may hold the URL,
// which names a key and is no secret but under base64key: there they are left
// out.
func (m *Master) ask(what string, question func(context.Context, *secrets.Keeper) ([]byte, error)) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	keeper, err := secrets.OpenKeeper(ctx, m.url)
	if err != nil {
		return nil, fmt.Errorf("open the key-management service: %w", hidden{err, m.url})
	}
	out, err := question(ctx, keeper)
	if closed := keeper.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, fmt.Errorf("%s by the key-management service: %w", what, hidden{err, m.url})
	}
	return out, nil
}
