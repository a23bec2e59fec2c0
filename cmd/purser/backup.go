package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"purser/internal/server"
)

type backupCmd struct {
	dataFlag
	Records string `required:"" type:"path" help:"The file to be made of the database, without wrapped keys."`
	Keys    string `required:"" type:"path" help:"The file to be made of the wrapped keys; kept elsewhere, and for 30 days at most."`
	Prune   bool   `help:"Remove the files of wrapped keys beside it whose 30 days are over."`
	JSON    bool   `name:"json" help:"Print one JSON object."`
}

// Help is printed below the flags.
func (backupCmd) Help() string {
	return `A server may be running on the directory. Neither file can be read without the keyset, which is in neither: back it up
by itself. Whoever erases a customer tells him until when a backup can still hold him; that is when the file of wrapped
keys must be gone. Every backup is an entry.`
}

func (c backupCmd) Run(ctx context.Context, s streams) error {
	config, _, err := c.config(s, quiet(s), labelAllowed)
	if err != nil {
		return err
	}
	defer clear(config.Passphrase)
	made, err := server.MakeBackup(ctx, server.BackupConfig{
		Data: c.Data, Records: c.Records, Keys: c.Keys, Passphrase: config.Passphrase, Master: config.Master,
		Now: time.Now(), Random: rand.Reader,
	})
	if errors.Is(err, server.ErrBackupThere) {
		return usage(err)
	}
	if err != nil {
		return err
	}
	if err := c.record(ctx, s, made); err != nil {
		return fmt.Errorf("the files are made and no entry tells of them: %w", err)
	}
	var pruned []server.Pruned
	if c.Prune {
		if pruned, err = server.PruneKeys(filepath.Dir(c.Keys), time.Now()); err != nil {
			return err
		}
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(map[string]any{
			"entries": made.Size, "records": hex.EncodeToString(made.Records[:]), "keys": hex.EncodeToString(made.Keys[:]),
			"keys_gone_by": made.Gone.UTC(), "pruned": len(pruned),
		})
	}
	for _, p := range pruned {
		fmt.Fprintf(s.out, "removed %s, whose time was over on %s\n", p.Name, p.Gone.UTC().Format(time.DateOnly))
	}
	fmt.Fprintf(s.out, "%d entries and the records: %s\n  sha256 %x\nwrapped keys: %s\n  sha256 %x\n  must be gone by %s\n",
		made.Size, c.Records, made.Records, c.Keys, made.Keys, made.Gone.UTC().Format("2006-01-02 15:04 MST"))
	return nil
}

// record writes the entry, by the server where one is running.
func (c backupCmd) record(ctx context.Context, s streams, made server.Backup) (err error) {
	_, err = c.local(ctx, "/local/backups", map[string]string{
		"records": hex.EncodeToString(made.Records[:]), "keys": hex.EncodeToString(made.Keys[:]),
	})
	if !errors.Is(err, errNoServer) {
		return err
	}
	d, _, err := c.open(ctx, s, quiet(s), labelAllowed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return d.RecordBackup(ctx, made.Records, made.Keys)
}
