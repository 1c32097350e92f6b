package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/parley-im/parley/auth"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/config"
)

type tokenCommand struct {
	AppID      uint32        `name:"app-id" required:"" help:"The app."`
	User       string        `required:"" help:"The user ID."`
	File       string        `name:"config" help:"The node's YAML file, for the app's secret." placeholder:"FILE" type:"path"`
	SecretFile string        `help:"File with the app's secret." placeholder:"FILE" type:"path"`
	Secret     string        `help:"The app's secret itself: everybody on the machine sees it on a command line." placeholder:"SECRET"`
	TTL        time.Duration `name:"ttl" default:"24h" help:"How long the token is good: 1s to 576h (24 days)."`
	JWT        bool          `name:"jwt" help:"Make a JWT (HS256) instead of a token04."`
}

// Run prints the token and nothing else.
func (c *tokenCommand) Run() error {
	if err := chat.CheckUserID("token", c.User); err != nil {
		return usageError{err}
	}
	if c.TTL > auth.MaxValidity {
		return usagef("--ttl %v is too long; at most %v is allowed", c.TTL, auth.MaxValidity)
	}
	secret, err := c.secret()
	if err != nil {
		return usageError{err}
	}
	var token string
	if c.JWT {
		token, err = auth.GenerateJWT(chat.AppID(c.AppID), c.User, secret, c.TTL, time.Now())
	} else {
		token, err = auth.Generate04(chat.AppID(c.AppID), c.User, secret, c.TTL, time.Now(), rand.Reader)
	}
	if err != nil {
		return usageError{err}
	}
	fmt.Println(token)
	return nil
}

// secret is the app's, from the one place that is named.
func (c *tokenCommand) secret() (string, error) {
	named := 0
	for _, from := range []string{c.File, c.SecretFile, c.Secret} {
		if from != "" {
			named++
		}
	}
	if named != 1 {
		return "", errors.New("name the app's secret by one of --config, --secret-file, --secret and PARLEY_SECRET")
	}
	if c.Secret != "" {
		return c.Secret, nil
	}
	app := config.App{ID: chat.AppID(c.AppID), SecretFile: c.SecretFile}
	cfg := config.Config{Apps: []config.App{app}}
	if c.File != "" {
		var err error
		if cfg, err = config.Load(c.File); err != nil {
			return "", err
		}
	}
	if err := cfg.ReadSecrets(); err != nil {
		return "", err
	}
	i := slices.IndexFunc(cfg.Apps, func(a config.App) bool { return a.ID == app.ID })
	if i < 0 {
		return "", fmt.Errorf("%s names no app %d", c.File, app.ID)
	}
	if app = cfg.Apps[i]; c.JWT && app.JWTSecret != "" {
		return string(app.JWTSecret), nil
	}
	return string(app.Secret), nil
}

type versionCommand struct{}

// version is the release; builds from a checkout add their revision.
const version = "0.1.0-dev"

// Run prints the version, the revision that it was built from, if known, and the
// tags of a build for tests: what is built with them breaks its promises.
func (c *versionCommand) Run() error {
	more := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				more = " (" + s.Value + ")" + more
			case s.Key == "-tags" && s.Value != "":
				more += ", a build for tests with -tags " + s.Value
			}
		}
	}
	fmt.Printf("parley %s%s, speaks %v\n", version, more, chat.Spoken())
	return nil
}
