// Probe asks a program in the same container whether it is well; status 0 means that it is.
//
//	probe AUTHORITY.pem https://localhost:9443/healthz   asks over TLS, believing only that authority
//	probe localhost:7054                                 whether the port is open
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

const patience = 3 * time.Second

func main() {
	if err := probe(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func probe(args []string) error {
	switch len(args) {
	case 1:
		connection, err := net.DialTimeout("tcp", args[0], patience)
		if err != nil {
			return err
		}
		return connection.Close()
	case 2:
		return get(args[0], args[1])
	default:
		return fmt.Errorf("probe takes an address, or an authority and an https address")
	}
}

func get(authority, url string) error {
	pem, err := os.ReadFile(authority)
	if err != nil {
		return err
	}
	trust := x509.NewCertPool()
	if !trust.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s holds no certificate", authority)
	}
	client := http.Client{
		Timeout:   patience,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust, MinVersion: tls.VersionTLS12}},
	}
	answer, err := client.Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s", answer.Status)
	}
	return nil
}
