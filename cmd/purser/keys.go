package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"purser"
	"purser/internal/operate"
	"purser/internal/server"
)

type keysCmd struct {
	List    keysListCmd    `cmd:"" aliases:"status" help:"Say which keys there are, and how far a rotation is."`
	Rotate  keysRotateCmd  `cmd:"" help:"Take another key into use, and change everything over to it."`
	Destroy keysDestroyCmd `cmd:"" help:"Take a key out of the keyset under which nothing is left."`
	Passwd  keysPasswdCmd  `cmd:"" help:"Change what encrypts the keyset file."`
}

type keysListCmd struct {
	dataFlag
	JSON bool `name:"json" help:"Print one JSON object."`
}

func (c keysListCmd) Run(ctx context.Context, s streams) (err error) {
	var report server.KeyReport
	answer, err := c.local(ctx, "/local/keys", struct{}{})
	switch {
	case err == nil:
		if err := json.Unmarshal(answer, &report); err != nil {
			return fmt.Errorf("read the server's answer: %w", err)
		}
	case errors.Is(err, errNoServer):
		if report, err = c.offline(ctx, s); err != nil {
			return err
		}
	default:
		return err
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(report)
	}
	showKeys(s.out, report)
	return nil
}

func (c keysListCmd) offline(ctx context.Context, s streams) (report server.KeyReport, err error) {
	d, _, err := c.open(ctx, s, quiet(s), labelAllowed)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return d.KeyReport(ctx)
}

func showKeys(w io.Writer, report server.KeyReport) {
	fmt.Fprintf(w, "keyset %s\n", report.Keyset)
	for _, use := range report.Uses {
		fmt.Fprintf(w, "%-6s %s  in force\n", use.Use, use.Now)
		for _, n := range use.Leaving {
			fmt.Fprintf(w, "%-6s %s  being left: %d of %d customers looked at in this walk, %d changed over\n", use.Use, n, use.Done, use.Of, use.Changed)
		}
		for _, idle := range use.Idle {
			fmt.Fprintf(w, "%-6s %s  nothing is left under it; may be destroyed from %s\n", use.Use, idle.Number, idle.Until.UTC().Format("2006-01-02 15:04"))
		}
		for _, n := range use.Strangers {
			fmt.Fprintf(w, "%-6s %s  in the file and unknown to the ledger; the next rotation takes it\n", use.Use, n)
		}
	}
}

type keysRotateCmd struct {
	dataFlag
	Use  string `arg:"" enum:"wrap,index" help:"wrap: the key that wraps the data keys of records. index: the key of blind indexes."`
	JSON bool   `name:"json" help:"Print one JSON object."`
}

// Help is printed below the flags.
func (keysRotateCmd) Help() string {
	return `With a server on the directory, the server does it beside its other work, and purser keys list says how far it is.
Without one, this command does it and shows how far it is; ended anywhere, it goes on when it is called again or a
server is started. Back the keyset up after it: an older copy opens nothing that is sealed from now on.`
}

func (c keysRotateCmd) Run(ctx context.Context, s streams) (err error) {
	_, err = c.local(ctx, "/local/keys/rotate", map[string]string{"use": c.Use})
	if err == nil {
		return c.say(s, "the server changes everything over to it; purser keys list says how far it is", 0)
	}
	if !errors.Is(err, errNoServer) {
		return err
	}
	d, _, err := c.open(ctx, s, quiet(s), labelAllowed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	use := purser.KeyWrap
	if c.Use == purser.KeyIndex.String() {
		use = purser.KeyIndex
	}
	// One that was ended is finished first; there is no second beside it.
	if err := d.RotateKey(ctx, use); err != nil && !errors.Is(err, server.ErrRotating) {
		return err
	}
	changed, err := d.FinishRotation(ctx, use, progress(s.err, "rotating"))
	if err != nil {
		return err
	}
	return c.say(s, fmt.Sprintf("%d customers changed over to it, nothing is left under the old one", changed), changed)
}

func (c keysRotateCmd) say(s streams, what string, changed uint64) error {
	if c.JSON {
		return json.NewEncoder(s.out).Encode(map[string]any{"use": c.Use, "changed": changed})
	}
	fmt.Fprintf(s.out, "another %s key is in force: %s.\nBack the keyset up now, apart from the database.\n", c.Use, what)
	return nil
}

type keysDestroyCmd struct {
	dataFlag
	Use    string `arg:"" enum:"wrap,index" help:"wrap or index."`
	Number string `arg:"" help:"The key's number, as purser keys list says it."`
}

// Help is printed below the flags.
func (keysDestroyCmd) Help() string {
	return `Refused while anything may be under the key, and for 30 days after nothing is: so long a backup may be kept that
was made under it. Copies of the keyset from before hold the key still; destroy them too.`
}

func (c keysDestroyCmd) Run(ctx context.Context, s streams) (err error) {
	number, err := purser.ParseKeyNumber(c.Number)
	if err != nil {
		return usage(err)
	}
	_, err = c.local(ctx, "/local/keys/destroy", map[string]string{"use": c.Use, "number": c.Number})
	if errors.Is(err, errNoServer) {
		err = c.offline(ctx, s, number)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s key %s is destroyed. Destroy the copies of the keyset that hold it.\n", c.Use, c.Number)
	return nil
}

func (c keysDestroyCmd) offline(ctx context.Context, s streams, number uint32) (err error) {
	d, _, err := c.open(ctx, s, quiet(s), labelAllowed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	use := purser.KeyWrap
	if c.Use == purser.KeyIndex.String() {
		use = purser.KeyIndex
	}
	return d.DestroyKey(ctx, use, number)
}

type keysPasswdCmd struct {
	dataFlag
	File string `type:"path" help:"The file that holds the new passphrase on its first line."`
	KMS  string `name:"kms" help:"The key of a key-management service that encrypts the file from now on."`
}

// Help is printed below the flags.
func (keysPasswdCmd) Help() string {
	return `Runs while the server is stopped. The keys stay; what encrypts their file changes. Then name the new passphrase file,
or the key of the service, in purser.yaml. A copy of the file from before opens as it did.`
}

func (c keysPasswdCmd) Run(ctx context.Context, s streams) (err error) {
	if (c.File == "") == (c.KMS == "") {
		return usage(errors.New("say either --file or --kms"))
	}
	var to server.Protection
	if c.File != "" {
		if to.Passphrase, err = operate.ReadSecret(c.File); err != nil {
			return usage(err)
		}
		defer clear(to.Passphrase)
	} else if to.Master, err = operate.MasterAt(c.KMS); err != nil {
		return usage(err)
	}
	d, _, err := c.open(ctx, s, quiet(s), labelAllowed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if err := d.ProtectKeyset(to); err != nil {
		return err
	}
	fmt.Fprintln(s.out, "the keyset is encrypted anew. Now change purser.yaml, and destroy the copies of the file from before.")
	return nil
}
