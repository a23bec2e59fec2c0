package main

import (
	"encoding/json"
	"fmt"
	"runtime"

	"purser"
)

type versionCmd struct {
	JSON bool `name:"json" help:"Print one JSON object."`
}

func (v versionCmd) Run(s streams) error {
	if v.JSON {
		return json.NewEncoder(s.out).Encode(map[string]any{
			"version": version, "entry_format": purser.EntryVersion, "go": runtime.Version(),
		})
	}
	_, err := fmt.Fprintf(s.out, "purser %s, entry format %d, %s\n", version, purser.EntryVersion, runtime.Version())
	return err
}
