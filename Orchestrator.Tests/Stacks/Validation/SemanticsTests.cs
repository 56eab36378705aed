using Orchestrator.Stacks;

namespace Orchestrator.Tests.Stacks.Validation;

/// <summary>What the parts of a file say about each other.</summary>
internal sealed class SemanticsTests
{
    [TestCase("a: { image: x, depends_on: [ a ] }", "2:32 services.a.depends_on[0]: services wait for each other: a -> a (remove one of the dependencies)")]
    [TestCase("a: { image: x, depends_on: [ b ] }\n  b: { image: x, depends_on: [ a ] }", "2:32 services.a.depends_on[0]: services wait for each other: a -> b -> a (remove one of the dependencies)")]
    [TestCase("z: { image: x, depends_on: [ a ] }\n  a: { image: x, depends_on: [ b ] }\n  b: { image: x, depends_on: { c: { condition: service_started } } }\n  c: { image: x, depends_on: [ a ] }", "3:32 services.a.depends_on[0]: services wait for each other: a -> b -> c -> a (remove one of the dependencies)")]
    [TestCase("a: { image: x, depends_on: [ bb ] }\n  b: { image: x }", "2:32 services.a.depends_on[0]: there is no service 'bb' (did you mean 'b'?)")]
    [TestCase("a: { image: x, depends_on: [ other ] }", "2:32 services.a.depends_on[0]: there is no service 'other' (services: a)")]
    [TestCase("a: { image: x, depends_on: [ b, b ] }\n  b: { image: x }", "2:35 services.a.depends_on[1]: 'b' is named twice")]
    [TestCase("a: { image: x, depends_on: { b: { condition: healthy } } }\n  b: { image: x }", "2:48 services.a.depends_on.b.condition: expected a condition: service_started, service_healthy, service_completed_successfully, found 'healthy'")]
    [TestCase("a: { image: x, depends_on: { b: {} } }\n  b: { image: x }", "2:35 services.a.depends_on.b: 'condition' is missing (service_started, service_healthy or service_completed_successfully)")]
    [TestCase("a: { image: x, depends_on: { b: } }\n  b: { image: x }", "2:35 services.a.depends_on.b: expected a mapping with 'condition', found nothing (condition: service_started)")]
    [TestCase("a: { image: x, depends_on: { b: { condition: service_healthy } } }\n  b: { image: x, healthcheck: { disable: true } }", "2:32 services.a.depends_on.b: 'b' never becomes healthy: its health check is switched off (use condition: service_started)")]
    [TestCase("a: { image: x, depends_on: { b: { condition: service_completed_successfully } } }\n  b: { image: x, restart: always }", "2:32 services.a.depends_on.b: 'b' never completes: it has restart: always (use restart: no or on-failure for a service that ends)")]
    [TestCase("a: { image: x, networks: [ bak ] }\nnetworks: { back: }", "2:30 services.a.networks[0]: there is no network 'bak' (did you mean 'back'?)")]
    [TestCase("a: { image: x, networks: { back: } }", "2:30 services.a.networks.back: there is no network 'back' (declare it at the top level: networks: { back: })")]
    [TestCase("a: { image: x, networks: [ default, default ] }", "2:39 services.a.networks[1]: the network 'default' is named twice")]
    [TestCase("a: { image: x, configs: [ c ] }", "2:29 services.a.configs[0]: there is no config 'c' (declare it at the top level: configs: { c: })")]
    [TestCase("a: { image: x, ports: [ \"80:80\" ] }\n  b: { image: x, ports: [ \"80:81\" ] }", "3:27 services.b.ports[0]: port 80/tcp is published by 'a' already, at services.a.ports[0] (2:27) (publish another port of the host)")]
    [TestCase("a: { image: x, ports: [ \"127.0.0.1:80:80\" ] }\n  b: { image: x, ports: [ \"80:81\" ] }", "3:27 services.b.ports[0]: port 80/tcp is published by 'a' already, at services.a.ports[0] (2:27) (publish another port of the host)")]
    [TestCase("a: { image: x, ports: [ \"0.0.0.0:80:80\" ] }\n  b: { image: x, ports: [ \"10.0.0.1:80:81\" ] }", "3:27 services.b.ports[0]: port 10.0.0.1:80/tcp is published by 'a' already, at services.a.ports[0] (2:27) (publish another port of the host)")]
    [TestCase("a: { image: x, ports: [ \"80:80\", \"79-81:79-81\" ] }", "2:36 services.a.ports[1]: port 80/tcp is published by this service already, at services.a.ports[0] (2:27) (publish another port of the host)")]
    [TestCase("a: { image: x, container_name: n1 }\n  b: { image: x, container_name: n1 }", "3:18 services.b.container_name: 'a' has the container name 'n1' already (names of containers are unique on an engine)")]
    [TestCase("a: { image: x, deploy: { replicas: 2 }, ports: [ \"80:80\" ] }", "2:52 services.a.ports[0]: 2 replicas of 'a' cannot all have port 80 of the host (with x-basmalin.route the proxy serves the port and balances over the replicas; or leave the host's port out)")]
    [TestCase("a: { image: x, x-basmalin: {}, ports: [ \"80:80\" ] }", "2:43 services.a.ports[0]: two generations of 'a' run at once and cannot both have port 80 of the host (with x-basmalin.route the proxy serves the port; with x-basmalin.stateful: true the service is replaced in place)")]
    [TestCase("a: { image: x, x-basmalin: { route: { hosts: a } }, ports: [ \"53:53/udp\" ] }", "2:64 services.a.ports[0]: the proxy serves the ports of a routed service and does not carry udp (publish it from a service without a route)")]
    [TestCase("a: { image: x, x-basmalin: { route: { hosts: a } }, expose: [ 80, 81 ] }", "2:32 services.a.x-basmalin.route: the container has several ports (80, 81): which one is meant? (port: 80)")]
    [TestCase("a: { image: x, x-basmalin: { route: { port: 80 } }, ports: [ \"80\" ] }", "2:32 services.a.x-basmalin.route: nothing leads to this service: its route has no hosts and it publishes no port (hosts: [garden.example], hosts: [\"*\"] for any, or ports: [\"3000:3000\"])")]
    [TestCase("a: { image: x, x-basmalin: { stateful: true }, deploy: { replicas: 2 } }", "2:60 services.a.deploy.replicas: a stateful service runs once, not 2 times (remove replicas, or 'stateful')")]
    [TestCase("a: { image: x, x-basmalin: { gate: { docker: true } }, healthcheck: { disable: true } }", "2:40 services.a.x-basmalin.gate.docker: the health check of this service is switched off (give it a healthcheck, or choose http, tcp or exec)")]
    [TestCase("a: { image: x, deploy: { replicas: 2 }, networks: { default: { ipv4_address: 10.0.0.1 } } }", "2:55 services.a.networks.default: several containers of this service run at once and cannot share one address (remove it: peers reach the service by its name)")]
    [TestCase("a: { image: x, x-basmalin: { route: { hosts: [ h, \"*\" ], path: /p, port: 1 } } }\n  b: { image: x, x-basmalin: { route: { hosts: [ i, H ], path: /p/, port: 1 } } }", "3:53 services.b.x-basmalin.route.hosts[1]: h/p leads to 'a' already, at services.a.x-basmalin.route.hosts[0] (2:50) (give one of them another host or path)")]
    public void A_contradiction_is_reported_at_its_place(string services, string expected) =>
        Assert.That(Compose.Errors(Compose.Read($"services:\n  {services}\n")), Is.EqualTo(new[] { expected }));

    [TestCase("\"127.0.0.1:80:80\"", "\"127.0.0.2:80:80\"")]
    [TestCase("\"0.0.0.0:80:80\"", "\"[::1]:80:80\"")]
    [TestCase("\"80:80/tcp\"", "\"80:80/udp\"")]
    [TestCase("\"80\"", "\"80\"")]
    public void Ports_that_do_not_meet_are_accepted(string one, string other) =>
        Assert.That(Compose.Read($"services: {{ a: {{ image: x, ports: [ {one} ] }}, b: {{ image: x, ports: [ {other} ] }} }}").Errors, Is.Empty);

    [Test]
    public void Every_problem_of_a_file_is_reported_at_once_in_its_order()
    {
        var result = Compose.Read("""
            name: Garden
            services:
              app:
                imge: app
                ports: [ 70000 ]
                depends_on: [ nobody ]
              b:
                image: b
                networks: [ nowhere ]
                restart: ${RESTART:?}
                x-basmalin:
                  gate: { http: /, retries: 3 }
            volumes: [ x ]
            """);

        Assert.That(result.Stack, Is.Null);
        Assert.That(result.Errors.Select(error => $"{error.Line}:{error.Column} {error.Key}"), Is.EqualTo(new[]
        {
            "1:1 name", "3:3 services.app", "4:5 services.app.imge", "5:14 services.app.ports[0]", "6:19 services.app.depends_on[0]", "9:17 services.b.networks[0]",
            "10:14 services.b.restart", "12:24 services.b.x-basmalin.gate.retries", "13:10 volumes",
        }));
    }

    [Test]
    public void Services_come_after_what_they_depend_on_and_else_in_the_order_of_the_file()
    {
        var stack = Compose.Stack("""
            services:
              web: { image: x, depends_on: [ api ] }
              lone: { image: x }
              api: { image: x, depends_on: { db: { condition: service_healthy, restart: true }, cache: { condition: service_started, required: false } } }
              cache: { image: x }
              db: { image: x }
            """);

        Assert.That(stack.Services.Select(service => service.Name), Is.EqualTo(new[] { "lone", "cache", "db", "api", "web" }));
        Assert.That(stack.Find("api")!.DependsOn[0], Is.EqualTo(new Dependency("db", DependencyCondition.Healthy, Required: true, Restart: true)));
    }

    private const string Profiled = """
        services:
          app: { image: x, depends_on: { debug: { condition: service_started, required: false } } }
          debug: { image: x, profiles: [ debug, dev ], volumes: [ "d:/d" ] }
          tool: { image: x, profiles: [ tools ], depends_on: [ debug ] }
        volumes: { d: }
        """;

    [Test]
    public void A_service_whose_profile_is_not_asked_for_is_left_out()
    {
        var result = Compose.Read(Profiled);

        Assert.That(result.Stack!.Services.Select(service => service.Name), Is.EqualTo(new[] { "app" }));
        Assert.That(result.Stack.Services[0].DependsOn, Is.Empty);
        Assert.That(result.Stack.Volumes, Is.Empty);
        Assert.That(Compose.Notes(result)[0], Is.EqualTo("2:34 services.app.depends_on.debug: the service 'debug' is left out: its profiles are debug, dev; the dependency is not required and falls away"));
    }

    [Test]
    public void A_profile_that_is_asked_for_brings_its_services()
    {
        var result = ComposeReader.Read(Compose.Source(Profiled) with { Profiles = ["dev"] });
        var all = ComposeReader.Read(Compose.Source(Profiled) with { Profiles = ["*"] });
        var variable = Compose.Read(Profiled, ("COMPOSE_PROFILES", "tools, debug"));

        Assert.That(result.Stack!.Services.Select(service => service.Name), Is.EqualTo(new[] { "debug", "app" }));
        Assert.That(all.Stack!.Services, Has.Length.EqualTo(3));
        Assert.That(variable.Stack!.Services, Has.Length.EqualTo(3));
    }

    [Test]
    public void A_dependency_on_a_left_out_service_says_which_profile_is_missing() =>
        Assert.That(Compose.Errors(ComposeReader.Read(Compose.Source(Profiled) with { Profiles = ["tools"] })), Is.EqualTo(new[]
        {
            "4:56 services.tool.depends_on[0]: the service 'debug' is left out: its profiles are debug, dev (ask for the profile 'debug', or write required: false)",
        }));

    [TestCase("volumes: [ \"data:/d\" ]", ServiceRole.Stateful, false)]
    [TestCase("volumes: [ \"/d\" ]", ServiceRole.Stateful, false)]
    [TestCase("volumes: [ \"data:/d:ro\" ]", ServiceRole.Worker, false)]
    [TestCase("volumes: [ \"./d:/d\" ]", ServiceRole.Worker, false)]
    [TestCase("tmpfs: /d", ServiceRole.Worker, false)]
    [TestCase("volumes: [ \"./d:/d\" ]\nx-basmalin: { stateful: true }", ServiceRole.Stateful, false)]
    [TestCase("x-basmalin: { backup: { kind: redis, before_deploy: true } }", ServiceRole.Stateful, false)]
    [TestCase("x-basmalin:", ServiceRole.Worker, true)]
    [TestCase("x-basmalin: { warm: 1s }", ServiceRole.Worker, true)]
    [TestCase("volumes: [ \"data:/d\" ]\nx-basmalin: { route: { hosts: a, port: 80 } }", ServiceRole.Routed, true)]
    public void The_role_follows_from_route_and_data(string keys, ServiceRole role, bool coloured)
    {
        var app = Compose.App(keys, "volumes: { data: }");

        Assert.That((app.Role, app.Coloured), Is.EqualTo((role, coloured)));
    }

    [TestCase("x-basmalin:", "4:5 services.app.container_name: two generations of this service run beside each other while it is replaced, so the name is a stem: containers are called web-blue-1, … (peers reach the service as 'app' all the same)")]
    [TestCase("deploy: { replicas: 2 }", "4:5 services.app.container_name: 2 replicas of this service run, so the name is a stem: containers are called web-1, … (peers reach the service as 'app' all the same)")]
    public void A_container_name_that_cannot_be_kept_is_explained(string keys, string expected) =>
        Assert.That(Compose.Notes(Compose.ReadApp($"container_name: web\n{keys}")), Is.EqualTo(new[] { expected }));

    private const string RandomPort = "ports: [ \"80\" ]\nx-basmalin: { route: { hosts: a } }";

    [Test]
    public void A_random_port_of_a_routed_service_is_exposed_only()
    {
        var app = Compose.App(RandomPort);

        Assert.That(app.Ports, Is.Empty);
        Assert.That(app.Expose, Is.EqualTo(new[] { 80 }));
        Assert.That(app.BasMalin!.Route!.Port, Is.EqualTo(80));
    }

    [Test]
    public void A_routed_service_may_publish_several_ports_when_it_says_which_is_the_routes()
    {
        var app = Compose.App("ports: [ \"80:3000\", \"9000:9000\" ]\nexpose: [ 1 ]\nx-basmalin: { route: { port: 3000 } }");

        Assert.That(app.Ports, Has.Length.EqualTo(2));
        Assert.That(app.BasMalin!.Route!.Port, Is.EqualTo(3000));
    }

    [Test]
    public void A_random_port_of_a_routed_service_is_explained() =>
        Assert.That(Compose.Notes(Compose.ReadApp(RandomPort)), Is.EqualTo(new[]
        {
            "4:14 services.app.ports[0]: the service is routed: no port of the host is opened for it (the route leads to it; write \"8080:80\" for a port of its own)",
        }));

    [Test]
    public void A_variable_that_is_not_set_is_noted_once()
    {
        var result = Compose.ReadApp("user: \"a$X\"\nhostname: b${X}");

        Assert.That(Compose.Notes(result), Is.EqualTo(new[]
        {
            "4:13 services.app.user: the variable X is not set: nothing is put in its place (set it in the environment or in .env, or give a default: ${X:-…})",
        }));
        Assert.That(result.Stack!.Find("app")!.Container.User, Is.EqualTo("a"));
    }

    [Test]
    public void Variables_from_outside_are_named_for_whoever_must_bring_them() =>
        Assert.That(ComposeReader.ReferencedVariables("""
            services:
              a:
                image: "x:${TAG:-${DEFAULT_TAG}}$$NOT"
                environment: [ PASSED, SET=1, "${ODD}" ]
                build: { args: { ARG: , OTHER: "$VALUE" } }
                x-free: { deep: [ "$DEEP" ] }
              b: { environment: { ALSO: } }
            secrets: { s: { environment: TOKEN } }
            """), Is.EqualTo(new[] { "ALSO", "ARG", "DEEP", "DEFAULT_TAG", "ODD", "PASSED", "TAG", "TOKEN", "VALUE" }));

    [TestCase("")]
    [TestCase("a: [")]
    [TestCase("\0")]
    public void A_file_that_is_not_YAML_names_no_variables(string content) => Assert.That(ComposeReader.ReferencedVariables(content), Is.Empty);
}
