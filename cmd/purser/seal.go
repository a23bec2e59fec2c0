package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

type sealCmd struct {
	dataFlag
	Custodian []string `help:"A custodian's public key, as a signed note's verifier; repeat it." placeholder:"KEY"`
	Make      string   `help:"Instead: make 5 custodian keys in this new folder, one file each." type:"path" placeholder:"FOLDER"`
	Quorum    int      `default:"3" help:"How many custodians must sign together."`
}

// Help is printed below the flags.
func (sealCmd) Help() string {
	return `Closes the bootstrap door for good, on a running server: from now on no passkey is enrolled without a help-desk
request, and customers may be stored. It takes at least 3 people with 2 passkeys each.

Custodian keys bring a deployment back whose staff has lost every passkey. Give each file that --make writes to
another person, offline, and remove it here.`
}

func (c sealCmd) Run(ctx context.Context, s streams) error {
	if (c.Make == "") == (len(c.Custodian) == 0) {
		return usage(errors.New("say either --make FOLDER or --custodian KEY for each custodian"))
	}
	made := false
	if c.Make != "" {
		var err error
		if c.Custodian, made, err = custodianKeys(c.Make); err != nil {
			return err
		}
	}
	_, err := c.local(ctx, "/door/seal", map[string]any{"custodians": c.Custodian, "quorum": c.Quorum})
	switch {
	case err == nil:
		fmt.Fprintf(s.out, "Sealed. %d of %d custodians can unlock it.\n", c.Quorum, len(c.Custodian))
	case errors.Is(err, errUnanswered) && c.Make != "":
		err = fmt.Errorf("%w with the keys in %s: the door may be closed under them", err, c.Make)
	case made:
		err = errors.Join(err, os.RemoveAll(c.Make)) // nothing was closed under these keys
	}
	return err
}

// custodians is how many keys --make writes.
const custodians = 5

func custodianFile(folder string, i int) string {
	return filepath.Join(folder, fmt.Sprintf("custodian-%d.key", i+1))
}

// custodianKeys makes the folder with new private keys, or reads the keys that
// an earlier attempt left there, and returns the public ones.
func custodianKeys(folder string) (public []string, made bool, err error) {
	err = os.Mkdir(folder, 0o700)
	if errors.Is(err, fs.ErrExist) {
		public, err = readCustodians(folder)
		return public, false, err
	}
	if err != nil {
		return nil, false, usage(fmt.Errorf("make the folder of custodian keys: %w", err))
	}
	if public, err = writeCustodians(folder); err != nil {
		return nil, false, errors.Join(err, os.RemoveAll(folder))
	}
	return public, true, nil
}

func writeCustodians(folder string) (public []string, err error) {
	for i := range custodians {
		private, verifier, err := note.GenerateKey(rand.Reader, fmt.Sprintf("custodian-%d", i+1))
		if err != nil {
			return nil, fmt.Errorf("draw a custodian key: %w", err)
		}
		if err := os.WriteFile(custodianFile(folder, i), []byte(private+"\n"), 0o600); err != nil {
			return nil, fmt.Errorf("write a custodian key: %w", err)
		}
		public = append(public, verifier)
	}
	return public, nil
}

func readCustodians(folder string) (public []string, err error) {
	for i := range custodians {
		text, err := os.ReadFile(custodianFile(folder, i))
		if err != nil {
			return nil, usage(fmt.Errorf("%s is there and holds no custodian keys; name a new folder", folder))
		}
		verifier, err := publicHalf(strings.TrimSpace(string(text)))
		if err != nil {
			return nil, usage(fmt.Errorf("%s: %w; name a new folder", custodianFile(folder, i), err))
		}
		public = append(public, verifier)
	}
	return public, nil
}

// publicHalf returns the verifier of a signed note's private key.
func publicHalf(private string) (string, error) {
	errNoKey := errors.New("is not a custodian key")
	signer, err := note.NewSigner(private)
	if err != nil {
		return "", errNoKey
	}
	parts := strings.SplitN(private, "+", 5) // PRIVATE, KEY, name, hash, key
	key, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(key) != 1+ed25519.SeedSize {
		return "", errNoKey
	}
	pair := ed25519.NewKeyFromSeed(key[1:])
	verifier, err := note.NewEd25519VerifierKey(signer.Name(), pair.Public().(ed25519.PublicKey))
	if err != nil {
		return "", errNoKey
	}
	return verifier, nil
}
