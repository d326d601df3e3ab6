// Command neo4j runs the tests' Neo4j for a developer or a benchmark until it is
// interrupted, or its stdin ends where that is a pipe.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/actiongraph/actiongraph/internal/neo4jtest"
)

func main() {
	opts := neo4jtest.Options{Optimize: true}
	flag.IntVar(&opts.Port, "port", 7690, "to listen on; 0 is a free one")
	flag.StringVar(&opts.DataDir, "data", "", "folder of the database, kept (required)")
	flag.StringVar(&opts.Password, "password", "", "of the user neo4j (default: no authentication)")
	flag.IntVar(&opts.HeapMB, "heap", 0, "in MB (default 768)")
	flag.IntVar(&opts.PagesMB, "pages", 0, "page cache in MB (default 256)")
	flag.Parse()
	end := make(chan os.Signal, 1)
	signal.Notify(end, os.Interrupt, syscall.SIGTERM)
	s, err := neo4jtest.Launch(opts)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.URL)
	if info, err := os.Stdin.Stat(); err == nil && info.Mode()&os.ModeNamedPipe != 0 {
		go func() { io.Copy(io.Discard, os.Stdin); end <- os.Interrupt }()
	}
	<-end
	if err := s.Stop(); err != nil {
		log.Fatal(err)
	}
}
