package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// confirmWithin is how long a client waits for the broker's confirm.
const confirmWithin = 5 * time.Second

// door takes posts over HTTP and publishes each.
func door(stop context.Context, args []string) error {
	flags := flag.NewFlagSet("door", flag.ExitOnError)
	listen := flags.String("listen", "127.0.0.1:8081", "the address to listen on")
	url := flags.String("amqp", "", "the broker, as amqp://user:password@host:port/vhost; by default what AMQP_URL says")
	exchange := flags.String("exchange", "post_exchange", "the exchange to publish to")
	key := flags.String("routing-key", "post", "the routing key")
	confirms := flags.Bool("confirms", true, "answer only after the broker's confirm")
	_ = flags.Parse(args) // It ends the program at an error.

	connection, err := connect(given(*url, "AMQP_URL"))
	if err != nil {
		return err
	}
	publisher, err := newPublisher(connection, *exchange, *key, *confirms)
	if err != nil {
		return err
	}
	return serve(stop, *listen, posts(publisher.publish, http.StatusAccepted, "queued", "Post submitted successfully"))
}

// connect dials the broker. The library does not reconnect: a service of this kind ends when its connection does, and
// whatever runs it starts it again.
func connect(url string) (*amqp.Connection, error) {
	connection, err := amqp.Dial(url)
	if err != nil {
		return nil, fmt.Errorf("cannot connect to the broker given by --amqp: %w", err)
	}
	go endWith(connection.NotifyClose(make(chan *amqp.Error, 1)))
	return connection, nil
}

func endWith(closed <-chan *amqp.Error) {
	if err, broken := <-closed; broken {
		log.Fatalf("the session with the broker broke: %v", err)
	}
}

// publisher has one channel for all requests, with a confirm under way for each of them. Of the forms tried, with 32
// and with 128 clients, none was faster: more such channels are no faster, and a pool of 32 to 128 channels that each
// wait for one confirm is slower, as there no frame of the broker's confirms more than one post.
//
// It keeps its own list of who waits, not the library's DeferredConfirmation: up to version 1.5 (Debian 12) that one
// forgets a confirm that comes before the call to publish has returned, and the client waits in vain.
type publisher struct {
	channel       *amqp.Channel
	exchange, key string
	confirms      bool
	publishing    sync.Mutex // from asking for the next tag to the publish that gets it
	waiting       sync.Map   // by tag, the *waiter
}

// waiter is a request that waits for the confirm of its message.
type waiter struct {
	id   string
	done chan error
}

func newPublisher(connection *amqp.Connection, exchange, key string, confirms bool) (*publisher, error) {
	channel, err := connection.Channel()
	if err != nil {
		return nil, err
	}
	go endWith(channel.NotifyClose(make(chan *amqp.Error, 1)))
	p := &publisher{channel: channel, exchange: exchange, key: key, confirms: confirms}
	if confirms {
		if err := channel.Confirm(false); err != nil {
			return nil, err
		}
		go p.settle(channel.NotifyReturn(make(chan amqp.Return, 64)), channel.NotifyPublish(make(chan amqp.Confirmation, 64)))
	}
	return p, nil
}

// publish sends a post to the queue. With confirms it returns when the broker has it on disk.
func (p *publisher) publish(ctx context.Context, post *post) error {
	body, err := json.Marshal(post)
	if err != nil {
		return err
	}
	message := amqp.Publishing{
		ContentType:  "application/json",
		DeliveryMode: amqp.Persistent,
		MessageId:    post.ID,
		Timestamp:    post.SubmittedAt,
		Type:         "post.submitted",
		Body:         body,
	}
	if !p.confirms {
		return p.channel.PublishWithContext(ctx, p.exchange, p.key, true, false, message)
	}
	ctx, cancel := context.WithTimeout(ctx, confirmWithin)
	defer cancel()
	done, err := p.send(ctx, message)
	if err != nil {
		return err
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("no confirm from the broker: %w", ctx.Err())
	}
}

// send publishes, and gives back what will tell of the confirm.
func (p *publisher) send(ctx context.Context, message amqp.Publishing) (<-chan error, error) {
	// Room for one, so that a confirm never waits for a client that has gone away.
	done := make(chan error, 1)
	p.publishing.Lock()
	defer p.publishing.Unlock()
	tag := p.channel.GetNextPublishSeqNo()
	p.waiting.Store(tag, &waiter{message.MessageId, done})
	if err := p.channel.PublishWithContext(ctx, p.exchange, p.key, true, false, message); err != nil {
		p.waiting.Delete(tag)
		return nil, err
	}
	return done, nil
}

// settle tells each waiter what became of its message. The broker returns a message that it can route nowhere, and
// confirms it all the same, afterwards.
func (p *publisher) settle(returns <-chan amqp.Return, confirms <-chan amqp.Confirmation) {
	returned := map[string]string{}
	for {
		select {
		case message := <-returns:
			returned[message.MessageId] = message.ReplyText
		case confirm, open := <-confirms:
			if !open {
				return
			}
			for len(returns) > 0 {
				message := <-returns
				returned[message.MessageId] = message.ReplyText
			}
			if found, waits := p.waiting.LoadAndDelete(confirm.DeliveryTag); waits {
				waiter := found.(*waiter)
				reply, unroutable := returned[waiter.id]
				delete(returned, waiter.id)
				switch {
				case unroutable:
					waiter.done <- fmt.Errorf("the broker could not route the post: %s", reply)
				case !confirm.Ack:
					waiter.done <- errors.New("the broker did not take the post")
				default:
					waiter.done <- nil
				}
			}
		}
	}
}
