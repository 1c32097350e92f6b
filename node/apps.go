package node

import (
	"errors"
	"maps"

	"github.com/parley-im/parley/auth"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/transport/wire"
)

// App is one tenant.
type App struct {
	auth.App
	Limits chat.Limits
}

// tenants are the apps that are served; Reload replaces them as a whole.
type tenants struct {
	verifier *auth.Verifier
	limits   map[chat.AppID]chat.Limits
}

// maxFrame has room for whatever an app's limits allow, in each encoding.
func (t *tenants) maxFrame() int {
	frame := minFrame
	for _, l := range t.limits {
		frame = max(frame, wire.SendBytes(l))
	}
	return frame
}

// Reload serves these apps from now on, and reads the certificate again. Who is
// logged in to an app that is gone stays until their token ends. On an error
// nothing has changed.
func (n *Node) Reload(apps []App) error {
	if err := n.setApps(apps); err != nil {
		return err
	}
	if n.certificate != nil {
		n.certificate.tryReload()
	}
	return nil
}

func (n *Node) setApps(apps []App) error {
	if len(apps) == 0 {
		return errors.New("no app is configured; give one as ID:SECRET")
	}
	t := &tenants{limits: make(map[chat.AppID]chat.Limits)}
	if old := n.tenants.Load(); old != nil {
		maps.Copy(t.limits, old.limits) // sessions of apps that are gone
	}
	all := make([]auth.App, 0, len(apps))
	for _, a := range apps {
		all = append(all, a.App)
		t.limits[a.ID] = a.Limits
	}
	var err error
	if old := n.tenants.Load(); old != nil && t.maxFrame() > old.maxFrame() {
		return errors.New("larger limits need larger frames, which a running node does not take; restart it")
	}
	if t.verifier, err = auth.NewVerifier(all); err != nil {
		return err
	}
	n.tenants.Store(t)
	return nil
}

func (n *Node) verifier() *auth.Verifier { return n.tenants.Load().verifier }

func (n *Node) limitsOf(app chat.AppID) chat.Limits { return n.tenants.Load().limits[app] }
