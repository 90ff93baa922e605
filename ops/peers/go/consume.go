package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// consume stores what is in the queue, and acknowledges each post after its row is committed.
func consume(stop context.Context, args []string) error {
	flags := flag.NewFlagSet("consume", flag.ExitOnError)
	url := flags.String("amqp", "", "the broker, as amqp://user:password@host:port/vhost; by default what AMQP_URL says")
	queue := flags.String("queue", "post_queue", "the queue to take posts from")
	dsn := flags.String("dsn", "", "the database, as user:password@tcp(host:port)/name or mysql://user:password@host:port/name; by default what DATABASE_URL says")
	consumers := flags.Int("consumers", 1, "how many posts are worked on at a time")
	prefetch := flags.Int("prefetch", 1, "how many posts each consumer has in hand")
	autoAck := flags.Bool("auto-ack", false, "have the broker forget a post as soon as it is sent, as in the usual tutorial; --prefetch means nothing then")
	_ = flags.Parse(args) // It ends the program at an error.

	connection, err := connect(given(*url, "AMQP_URL"))
	if err != nil {
		return err
	}
	table, err := openTable(given(*dsn, "DATABASE_URL"), *consumers)
	if err != nil {
		return err
	}
	defer table.close()

	work := store
	if *autoAck {
		work = storeUnanswered
	}
	var working sync.WaitGroup
	for number := 1; number <= *consumers; number++ {
		// A channel for each: deliveries of one channel come one after the other.
		name := fmt.Sprintf("go-%d", number)
		deliveries, err := subscribe(stop, connection, *queue, name, *prefetch, *autoAck)
		if err != nil {
			return err
		}
		working.Add(1)
		go func() {
			defer working.Done()
			for delivery := range deliveries {
				if err := work(table, delivery, name); err != nil {
					log.Printf("%s: message %q: %v", name, delivery.MessageId, err)
				}
			}
		}()
	}
	fmt.Println("ready")
	working.Wait()
	return connection.Close()
}

// subscribe begins to take posts from the queue; after the signal to stop no new ones come.
func subscribe(stop context.Context, connection *amqp.Connection, queue, name string, prefetch int, autoAck bool) (<-chan amqp.Delivery, error) {
	channel, err := connection.Channel()
	if err != nil {
		return nil, err
	}
	if !autoAck {
		if err := channel.Qos(prefetch, 0, false); err != nil {
			return nil, err
		}
	}
	go endWith(channel.NotifyClose(make(chan *amqp.Error, 1)))
	deliveries, err := channel.Consume(queue, name, autoAck, false, false, false, nil)
	if err != nil {
		return nil, err
	}
	go func() {
		<-stop.Done()
		if err := channel.Cancel(name, false); err != nil {
			log.Fatalf("%s: cannot stop taking posts: %v", name, err)
		}
	}()
	return deliveries, nil
}

// store stores one post and answers its delivery.
func store(table *table, delivery amqp.Delivery, worker string) error {
	var post post
	if err := json.Unmarshal(delivery.Body, &post); err != nil {
		_ = delivery.Nack(false, false)
		return fmt.Errorf("set aside, it is no post: %w", err)
	}
	// Not the signal's context: the post in hand is finished.
	if err := table.insert(context.Background(), &post, worker); err != nil {
		// The simple way: it comes again, until the delivery limit of the queue sets it aside.
		time.Sleep(time.Second)
		_ = delivery.Nack(false, true)
		return fmt.Errorf("put back: %w", err)
	}
	return delivery.Ack(false)
}

// storeUnanswered stores one post whose delivery wants no answer: the broker forgot the post when it sent it.
func storeUnanswered(table *table, delivery amqp.Delivery, worker string) error {
	var post post
	if err := json.Unmarshal(delivery.Body, &post); err != nil {
		return fmt.Errorf("lost, it is no post: %w", err)
	}
	if err := table.insert(context.Background(), &post, worker); err != nil {
		return fmt.Errorf("lost: %w", err)
	}
	return nil
}
