using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Orchestrator.Benchmarks.Edge;

/// <summary>
/// nginx, HAProxy and Caddy as plain reverse proxies: connections kept alive on both sides, no access log, a worker or thread per core, and the
/// X-Forwarded headers that BasMalin sets too.
/// </summary>
internal sealed class DebianProxies(string directory, int backend, BenchCertificate certificate)
{
    public static string[] PackageNames => ["nginx-light", "haproxy", "caddy"];

    public async Task<Contender> StartNginxAsync(CancellationToken cancellationToken)
    {
        var (port, tls) = (FreePort(), FreePort());
        var configuration = await WriteAsync("nginx.conf", $$"""
            daemon off;
            user root;
            worker_processes {{Environment.ProcessorCount}};
            pid {{directory}}/nginx.pid;
            error_log {{directory}}/nginx.log;
            events { worker_connections 4096; }
            http {
              access_log off;
              client_body_temp_path {{directory}}/body;
              proxy_temp_path {{directory}}/proxy;
              fastcgi_temp_path {{directory}}/fastcgi;
              uwsgi_temp_path {{directory}}/uwsgi;
              scgi_temp_path {{directory}}/scgi;
              keepalive_requests 1000000000;
              upstream app { server 127.0.0.1:{{backend}}; keepalive 256; keepalive_requests 1000000000; }
              server {
                listen 127.0.0.1:{{port}} backlog=4096;
                listen 127.0.0.1:{{tls}} ssl backlog=4096;
                ssl_certificate {{certificate.Chain}};
                ssl_certificate_key {{certificate.Key}};
                location / {
                  proxy_pass http://app;
                  proxy_http_version 1.1;
                  proxy_set_header Connection "";
                  proxy_set_header Host $host;
                  proxy_set_header X-Forwarded-For $remote_addr;
                  proxy_set_header X-Forwarded-Proto $scheme;
                  proxy_set_header X-Forwarded-Host $host;
                }
              }
            }
            """, cancellationToken);
        return await Contender.StartOtherAsync("nginx", (port, tls), Start("nginx", "-p", directory, "-e", $"{directory}/nginx.log", "-c", configuration), cancellationToken);
    }

    public async Task<Contender> StartHaproxyAsync(CancellationToken cancellationToken)
    {
        var (port, tls) = (FreePort(), FreePort());
        var configuration = await WriteAsync("haproxy.cfg", $$"""
            global
              nbthread {{Environment.ProcessorCount}}
              maxconn 4096
            defaults
              mode http
              timeout connect 5s
              timeout client 60s
              timeout server 60s
              http-reuse always
            frontend edge
              bind 127.0.0.1:{{port}}
              bind 127.0.0.1:{{tls}} ssl crt {{certificate.Both}}
              http-request set-header X-Forwarded-Proto http if !{ ssl_fc }
              http-request set-header X-Forwarded-Proto https if { ssl_fc }
              http-request set-header X-Forwarded-Host %[req.hdr(Host)]
              option forwardfor
              default_backend app
            backend app
              server one 127.0.0.1:{{backend}}

            """, cancellationToken);
        return await Contender.StartOtherAsync("HAProxy", (port, tls), Start("haproxy", "-db", "-q", "-f", configuration), cancellationToken);
    }

    public async Task<Contender> StartCaddyAsync(CancellationToken cancellationToken)
    {
        var (port, tls) = (FreePort(), FreePort());
        var configuration = await WriteAsync("Caddyfile", $$"""
            {
              admin off
              auto_https off
              log {
                level ERROR
              }
            }
            (proxied) {
              bind 127.0.0.1
              reverse_proxy 127.0.0.1:{{backend}} {
                transport http {
                  keepalive_idle_conns_per_host 256
                }
              }
            }
            http://:{{port}} {
              import proxied
            }
            https://:{{tls}} {
              tls {{certificate.Chain}} {{certificate.Key}}
              import proxied
            }

            """, cancellationToken);
        return await Contender.StartOtherAsync("Caddy", (port, tls), Start("caddy", "run", "--config", configuration, "--adapter", "caddyfile"), cancellationToken);
    }

    private async Task<string> WriteAsync(string name, string text, CancellationToken cancellationToken)
    {
        var path = Path.Combine(directory, name);
        await File.WriteAllTextAsync(path, text, cancellationToken);
        return path;
    }

    private ProcessStartInfo Start(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = directory, RedirectStandardInput = true, RedirectStandardError = true };
        start.Environment["XDG_DATA_HOME"] = directory;
        start.Environment["XDG_CONFIG_HOME"] = directory;
        return start;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
