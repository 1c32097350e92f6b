package main

import (
	"crypto/rand"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/parley-im/parley/auth"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/internal/failpoint"
)

type tokenCommand struct {
	AppID  uint32        `name:"app-id" required:"" help:"The app."`
	Secret string        `required:"" help:"The app's secret, 32 characters." env:"PARLEY_SECRET"`
	User   string        `required:"" help:"The user ID."`
	TTL    time.Duration `name:"ttl" default:"24h" help:"How long the token is good: 1s to 576h (24 days)."`
	JWT    bool          `name:"jwt" help:"Make a JWT (HS256) instead of a token04."`
}

// Run prints the token and nothing else.
func (c *tokenCommand) Run() error {
	if err := chat.CheckUserID("token", c.User); err != nil {
		return usageError{err}
	}
	if c.TTL > auth.MaxValidity {
		return usagef("--ttl %v is too long; at most %v is allowed", c.TTL, auth.MaxValidity)
	}
	var token string
	var err error
	if c.JWT {
		token, err = auth.GenerateJWT(chat.AppID(c.AppID), c.User, c.Secret, c.TTL, time.Now())
	} else {
		token, err = auth.Generate04(chat.AppID(c.AppID), c.User, c.Secret, c.TTL, time.Now(), rand.Reader)
	}
	if err != nil {
		return usageError{err}
	}
	fmt.Println(token)
	return nil
}

type versionCommand struct{}

// version is the release; builds from a checkout add their revision.
const version = "0.1.0-dev"

// Run prints the version, the revision that it was built from, if known, and
// whether this is a build for tests.
func (c *versionCommand) Run() error {
	revision := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = " (" + s.Value + ")"
			}
		}
	}
	if failpoint.Built {
		revision += " with failpoints"
	}
	fmt.Printf("parley %s%s\n", version, revision)
	return nil
}
