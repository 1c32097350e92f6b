// Package load measures a node from outside: real processes, the public
// contract, and the machine's own limits printed beside the figures. It is the
// harness of parley-load; nothing here judges a figure.
package load

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"syscall"
	"time"
)

// server is a node in a process of its own.
type server struct {
	cmd  *exec.Cmd
	addr string
}

// startServer runs `parley serve` on a free port with an app, over a directory.
func startServer(ctx context.Context, binary, data, app string, log io.Writer) (*server, error) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{addr: free.Addr().String()}
	_ = free.Close()
	s.cmd = exec.CommandContext(ctx, binary, "serve", "--addr", s.addr, "--admin-addr", "127.0.0.1:0", "--data", data, "--app", app)
	s.cmd.Stderr = log
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	return s, s.await(ctx)
}

func (s *server) url() string { return "http://" + s.addr }

// await polls until the node is ready.
func (s *server) await(ctx context.Context) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for range 200 {
		res, err := http.Get(s.url() + "/readyz")
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return fmt.Errorf("the node at %s was not ready in time", s.addr)
}

func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return s.cmd.Wait()
}

func (s *server) pid() int { return s.cmd.Process.Pid }
