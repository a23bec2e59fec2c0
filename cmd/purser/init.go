package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"purser/internal/operate"
	"purser/internal/record"
	"purser/internal/server"
)

type initCmd struct {
	dataFlag
	Schema  string `type:"existingfile" help:"A schema file; without it the airline schema."`
	Plain   bool   `help:"Keep the keyset readable to whoever can read the file, without a passphrase."`
	Scratch bool   `help:"A labelled directory to try things in; serve refuses it."`
	JSON    bool   `name:"json" help:"Print one JSON object."`
}

// Help is printed below the flags.
func (initCmd) Help() string {
	return `Makes keys and a database in an empty directory and opens the bootstrap door for 30 minutes.

Write DATA/purser.yaml first if the defaults do not fit (docs/operate/configuration.md), and put the
passphrase of the keyset into a file that only you may read, named by passphrase_file there or by the
environment variable PURSER_PASSPHRASE_FILE.`
}

func (c initCmd) Run(ctx context.Context, s streams) error {
	conf, err := operate.Load(c.Data)
	if err != nil {
		return usage(err)
	}
	in := server.InitConfig{
		Data: c.Data, Host: conf.Host(), Labelled: c.Scratch, Clock: server.NewSystemClock(), Random: rand.Reader, Software: version,
	}
	switch {
	case conf.KeysetKMS != "":
		if in.Master, err = operate.MasterAt(conf.KeysetKMS); err != nil {
			return usage(err)
		}
	case !c.Plain:
		if in.Passphrase, err = conf.Passphrase(); err != nil {
			return usage(fmt.Errorf("%w, or say --plain", err))
		}
		defer clear(in.Passphrase)
	}
	if c.Schema != "" {
		if in.Schema, err = os.ReadFile(c.Schema); err != nil {
			return usage(fmt.Errorf("read the schema: %w", err))
		}
		if _, err := record.Parse(in.Schema); err != nil {
			return usage(fmt.Errorf("%s: %w", c.Schema, err))
		}
	}
	made, err := server.Init(ctx, in)
	if errors.Is(err, server.ErrNotEmpty) {
		return usage(err)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(map[string]any{
			"data": c.Data, "deployment": made.Deployment, "verifier_key": made.Verifier, "door_until": made.DoorUntil.UTC(),
		})
	}
	if made.Warning != "" {
		fmt.Fprintln(s.err, "purser:", made.Warning)
	}
	fmt.Fprintf(s.out, `Made %s.

Verifier key, to be kept where this machine's administrators cannot change it:
  %s

`, c.Data, made.Verifier)
	if c.Scratch {
		fmt.Fprintf(s.out, "A labelled directory: purser serve refuses it, and its door stays open. Now:\n  purser import --scratch --data %s FILE\n", c.Data)
		return nil
	}
	fmt.Fprintf(s.out, `The bootstrap door is open until %s. Now:
  purser serve --data %s
and, from another terminal, vendors, people and passkeys: docs/operate/install.md
`, made.DoorUntil.Local().Format("15:04:05"), c.Data)
	return nil
}
