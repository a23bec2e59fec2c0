package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"

	"purser"
	"purser/internal/server"
	"purser/internal/synth"
	"purser/internal/workforce"
)

// browsers is the key of the passkeys that a script enrolled, by person.
type browsers struct{}

// colleague is somebody of a script with a session.
type colleague struct {
	ts     *testscript.TestScript
	base   string
	client *synth.Client
}

// login opens an office session of a person whose passkey the script enrolled.
func login(ts *testscript.TestScript, address, person string) colleague {
	kept, _ := ts.Value(browsers{}).(map[string]*synth.Browser)
	browser := kept[person]
	if browser == nil {
		ts.Fatalf("no passkey of %s was enrolled", person)
	}
	c := colleague{ts: ts, base: "http://" + address}
	var begun workforce.Begun
	c.post("/v1/login/begin", map[string]any{"page_key": browser.PageKey(), "level": "office", "person": person}, &begun)
	response, err := browser.Assert(begun)
	ts.Check(err)
	var opened struct {
		Session   purser.SessionID
		Token     string
		ServerKey workforce.PageKey `json:"server_key"`
		Now       time.Time
	}
	c.post("/v1/login/finish", map[string]any{"ceremony": begun.Ceremony, "response": json.RawMessage(response)}, &opened)
	token, err := workforce.ParseToken(opened.Token)
	ts.Check(err)
	c.client, err = browser.Open(token, opened.Session, opened.ServerKey, purser.StampOf(opened.Now))
	ts.Check(err)
	return c
}

// post sends a request, signed where there is a session.
func (c colleague) post(path string, body, out any) {
	text, err := json.Marshal(body)
	c.ts.Check(err)
	q, err := http.NewRequest(http.MethodPost, c.base+path, bytes.NewReader(text))
	c.ts.Check(err)
	q.Header.Set("Content-Type", "application/json")
	if c.client != nil {
		c.client.Sign(q, text)
	}
	resp, err := http.DefaultClient.Do(q)
	c.ts.Check(err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	c.ts.Check(err)
	if resp.StatusCode != http.StatusOK {
		c.ts.Fatalf("%s: %d %s", path, resp.StatusCode, answer)
	}
	c.ts.Check(json.Unmarshal(answer, out))
}

// agree ADDRESS ASKER ROLE APPROVER ROLE FILE: two people agree on the mandate
// that the file asks for, over two hours and, where it says recipient, for a new
// key in age.key. MANDATE names it.
func agree(ts *testscript.TestScript, neg bool, args []string) {
	operands(ts, neg, args, 6, "agree address asker role approver role file")
	var wish map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[5])), &wish))
	wish["as"], wish["expires"] = args[2], server.NewSystemClock().Wall().Add(2*time.Hour)
	if _, wanted := wish["recipient"]; wanted {
		key, err := age.GenerateX25519Identity()
		ts.Check(err)
		ts.Check(os.WriteFile(ts.MkAbs("age.key"), []byte(key.String()), 0o600))
		wish["recipient"] = key.Recipient().String()
	}
	var made struct{ Mandate string }
	login(ts, args[0], args[1]).post("/v1/mandates", wish, &made)
	login(ts, args[0], args[3]).post("/v1/mandates/"+made.Mandate+"/approve", map[string]any{"as": args[4]}, new(any))
	ts.Setenv("MANDATE", made.Mandate)
}

// decrypt KEY FILE: prints what the holder of the key reads, for the next
// stdout.
func decrypt(ts *testscript.TestScript, neg bool, args []string) {
	operands(ts, neg, args, 2, "decrypt key file")
	key, err := age.ParseX25519Identity(strings.TrimSpace(ts.ReadFile(args[0])))
	ts.Check(err)
	plain, err := age.Decrypt(strings.NewReader(ts.ReadFile(args[1])), key)
	ts.Check(err)
	text, err := io.ReadAll(plain)
	ts.Check(err)
	_, err = fmt.Fprintf(ts.Stdout(), "%s", text)
	ts.Check(err)
}
