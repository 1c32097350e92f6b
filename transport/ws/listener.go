package ws

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// Bounds of a door.
const (
	atDoor   = 128                    // connections that have not come through
	doorTime = 100 * time.Millisecond // after which one counts no more, so that the slow keep nobody out
)

// Door is a listener that takes the next connection when few of those before it
// are on their way in: until their first request is answered or has become a
// socket. Reading a request and answering it costs little, but after a failure
// of the network thousands come at once, and what is taken from the system stands
// in front of the processors before the messages of those who are in. The
// system's own queue holds the others.
//
// Its ConnState must be the http.Server's.
type Door struct {
	net.Listener
	places chan struct{}
	closed chan struct{}
	once   sync.Once

	mu       sync.Mutex
	entering map[net.Conn]*time.Timer // which frees the place
}

// NewDoor makes a door of a listener.
func NewDoor(l net.Listener) *Door {
	return &Door{Listener: l, places: make(chan struct{}, atDoor), closed: make(chan struct{}), entering: make(map[net.Conn]*time.Timer)}
}

// Accept implements net.Listener.
func (d *Door) Accept() (net.Conn, error) {
	select {
	case d.places <- struct{}{}:
	case <-d.closed:
		return nil, net.ErrClosed
	}
	c, err := d.Listener.Accept()
	if err != nil {
		<-d.places
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.entering[c] = time.AfterFunc(doorTime, func() { d.through(c) })
	return c, nil
}

// Close implements net.Listener.
func (d *Door) Close() error {
	d.once.Do(func() { close(d.closed) })
	return d.Listener.Close()
}

// ConnState is told by the http.Server what becomes of a connection.
func (d *Door) ConnState(c net.Conn, s http.ConnState) {
	switch s {
	case http.StateHijacked, http.StateIdle, http.StateClosed:
		d.through(c)
	}
}

// through frees the place of a connection, once.
func (d *Door) through(c net.Conn) {
	d.mu.Lock()
	timer, ok := d.entering[c]
	delete(d.entering, c)
	d.mu.Unlock()
	if ok {
		timer.Stop()
		<-d.places
	}
}
