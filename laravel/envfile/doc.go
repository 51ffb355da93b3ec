// Package envfile completes the .env of a Laravel site as `php artisan reverb:install` does, and knows what else the
// site needs to broadcast through this server.
package envfile
