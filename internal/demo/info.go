package demo

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"purser"
	"purser/internal/synth"
)

// The names of what a demo leaves behind.
const (
	infoName   = "demo.json"
	tempPrefix = "purser-demo-"
)

// infoCustomers is how many customers the file shows in plain text.
const infoCustomers = 200

// Info is the file demo.json: what somebody outside needs to play with a demo.
// Everything in it is made up, and worthless once the demo has ended. Tokens,
// keys are unpadded base64url; the source's secret is base64, as the door
// shows it.
type Info struct {
	Address   string              `json:"address"` // host:port
	Personas  []Persona           `json:"personas"`
	Sessions  []Session           `json:"sessions"`
	Source    Source              `json:"source"`
	Customers []map[string]string `json:"customers"` // the columns of the CSV file
	Verifier  string              `json:"verifier_key"`
}

// Persona is somebody who works at the made-up airline.
type Persona struct {
	Name       string          `json:"name"`
	Role       string          `json:"role"`
	Person     purser.PersonID `json:"person"`
	Vendor     purser.VendorID `json:"vendor"`
	VendorName string          `json:"vendor_name"`
	Team       purser.TeamID   `json:"team,omitempty"`
	Agent      string          `json:"agent,omitempty"`
}

// Session is an open session of a persona, with the key that signs its
// requests.
type Session struct {
	Token   string           `json:"token"`
	Key     string           `json:"key"`
	Session purser.SessionID `json:"session"`
	Person  purser.PersonID  `json:"person"`
	Role    string           `json:"role"`
	Vendor  purser.VendorID  `json:"vendor"`
	// Agent is the person's agent id at Info.Source; empty where that source
	// gives the person no contacts.
	Agent string `json:"agent"`
}

// Source is the telephony source that the demo leaves to others. It is silent.
type Source struct {
	ID     purser.SourceID `json:"id"`
	Secret string          `json:"secret"`
}

// leave opens a fresh session for everybody and writes the info file.
func (s *shift) leave(ctx context.Context) (Info, error) {
	if err := s.login(ctx); err != nil {
		return Info{}, err
	}
	info := Info{
		Address: s.served.Address(), Verifier: s.config.verifier,
		Source: Source{ID: s.extra.id, Secret: s.extra.secret},
	}
	for _, p := range s.staff() {
		info.Personas = append(info.Personas, Persona{
			Name: p.Name, Role: p.Role, Person: p.ID, Vendor: p.Vendor.ID, VendorName: p.Vendor.Name, Team: p.Team, Agent: p.Agent,
		})
		client := p.signer()
		key := client.Key()
		session := Session{
			Token: client.Token().String(), Key: base64.RawURLEncoding.EncodeToString(key[:]), Session: p.sessionID(),
			Person: p.ID, Role: p.Role, Vendor: p.Vendor.ID,
		}
		if p.Vendor == s.extra.vendor {
			session.Agent = p.Agent
		}
		info.Sessions = append(info.Sessions, session)
	}
	columns := synth.Columns()
	for c := range s.customers.Range(0, infoCustomers) {
		customer, row := make(map[string]string, len(columns)), c.Row()
		for i, name := range columns {
			customer[name] = row[i]
		}
		info.Customers = append(info.Customers, customer)
	}
	return info, info.write(s.config.Info)
}

// write replaces the file as a whole, readable by its owner alone.
func (i Info) write(file string) error {
	text, err := json.MarshalIndent(i, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", infoName, err)
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".demo-*.json") // 0600
	if err != nil {
		return fmt.Errorf("write %s: %w; choose another place with --info", infoName, err)
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w; choose another place with --info", infoName, errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

// ErrNoDemo says that there is no demo to talk to.
var ErrNoDemo = errors.New("no running demo found; start one with purser demo, or name its file with --info")

// ReadInfo reads an info file; without a name, that of the newest demo in a
// temporary directory.
func ReadInfo(file string) (Info, string, error) {
	if file == "" {
		if file = newest(); file == "" {
			return Info{}, "", ErrNoDemo
		}
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return Info{}, file, fmt.Errorf("%w: %s is not there yet", ErrNoDemo, file)
	}
	if err != nil {
		return Info{}, file, fmt.Errorf("read the demo's file: %w", err)
	}
	var info Info
	if err := json.Unmarshal(text, &info); err != nil {
		return Info{}, file, fmt.Errorf("%s is not the file of a demo", file)
	}
	return info, file, nil
}

func newest() (file string) {
	all, _ := filepath.Glob(filepath.Join(os.TempDir(), tempPrefix+"*", infoName))
	var at time.Time
	for _, name := range all {
		if about, err := os.Stat(name); err == nil && about.ModTime().After(at) {
			file, at = name, about.ModTime()
		}
	}
	return file
}
