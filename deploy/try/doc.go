// Command try is the audience of deploy/try.sh: many clients of one site and a publisher, which hold records of what each of them got
// while the servers are restarted under them.
package main
