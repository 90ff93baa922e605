// Command go-peer is what a site would write in Go if it had no Sluice: a front door that publishes to RabbitMQ, one
// that writes to MySQL itself, and a consumer. `sluice-lab bench` measures Sluice beside it, so each part is the best form
// of itself that is still what people write: the usual libraries, used as their authors advise, and nothing that a
// site would not run.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/gin-gonic/gin"
)

const usage = "usage: go-peer door|direct|consume [flags]; go-peer COMMAND --help lists them"

// given is a flag's value, or that of a variable: everybody on a machine can read a command line, passwords included.
func given(flag, variable string) string {
	if flag != "" {
		return flag
	}
	return os.Getenv(variable)
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("go-peer: ")
	if len(os.Args) < 2 {
		log.Fatal(usage)
	}
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	commands := map[string]func(context.Context, []string) error{"door": door, "direct": direct, "consume": consume}
	command, known := commands[os.Args[1]]
	if !known {
		log.Fatalf("%q is no command; %s", os.Args[1], usage)
	}
	if err := command(stop, os.Args[2:]); err != nil {
		log.Fatalf("%s: %v", os.Args[1], err)
	}
}

// request is what a client sends.
type request struct {
	Title   string  `json:"title" binding:"required"`
	Content string  `json:"content" binding:"required"`
	Author  *string `json:"author"`
}

// post is what travels through the queue and becomes a row.
type post struct {
	ID          string    `json:"id"`
	Title       string    `json:"title"`
	Content     string    `json:"content"`
	Author      *string   `json:"author,omitempty"`
	SubmittedAt time.Time `json:"submitted_at"`
}

// posts is the handler of both front doors; they differ in what keeping a post means and in what they answer.
func posts(keep func(context.Context, *post) error, code int, status, message string) gin.HandlerFunc {
	return func(c *gin.Context) {
		var asked request
		if err := c.ShouldBindJSON(&asked); err != nil {
			c.JSON(http.StatusBadRequest, gin.H{"error": err.Error()})
			return
		}
		kept := post{newID(), asked.Title, asked.Content, asked.Author, now()}
		if err := keep(c.Request.Context(), &kept); err != nil {
			c.JSON(http.StatusServiceUnavailable, gin.H{"error": err.Error()})
			return
		}
		c.JSON(code, gin.H{"id": kept.ID, "status": status, "message": message})
	}
}

// serve answers on an address until it is told to stop, and lets requests under way finish.
func serve(stop context.Context, listen string, handler gin.HandlerFunc) error {
	// Not gin.Default(): a line of log for each request would cost the peer what Sluice does not spend either.
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.Use(gin.Recovery())
	router.POST("/posts", handler)

	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: router, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Println("ready")
	select {
	case err := <-served:
		return err
	case <-stop.Done():
		grace, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		return server.Shutdown(grace)
	}
}

// now is the time as fine as the column in MySQL, so that the message and the row say the same.
func now() time.Time {
	return time.Now().UTC().Truncate(time.Microsecond)
}
