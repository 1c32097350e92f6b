// Command list prints the methods of the client contract as a page of docs
// (docs/methods.md, made by scripts/generate.sh).
package main

import (
	"bufio"
	"os"

	"github.com/parley-im/parley/proto/method"
)

func main() {
	out := bufio.NewWriter(os.Stdout)
	method.WritePage(out)
	if err := out.Flush(); err != nil {
		os.Exit(1)
	}
}
