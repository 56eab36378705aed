using System.Collections.Immutable;
using Orchestrator.Docker;
using Orchestrator.Health;

namespace Orchestrator.Tests.Health;

[TestFixture]
public sealed class ProbeHintsTests
{
    [TestCase("Error: DATABASE_URL is not set", ProbeHint.MissingVariable)]
    [TestCase("Missing required environment variable: SECRET_KEY", ProbeHint.MissingVariable)]
    [TestCase("KeyError: 'REDIS_URL'", ProbeHint.MissingVariable)]
    [TestCase("sh: 1: PORT_X: unbound variable", ProbeHint.MissingVariable)]
    [TestCase("Error: listen EADDRINUSE: address already in use :::3000", ProbeHint.AddressInUse)]
    [TestCase("Npgsql.NpgsqlException: Failed to connect to 172.18.0.2:5432", ProbeHint.DependencyUnreachable)]
    [TestCase("getaddrinfo ENOTFOUND postgres", ProbeHint.DependencyUnreachable)]
    [TestCase("mkdir /data: Permission denied", ProbeHint.PermissionDenied)]
    [TestCase("exec /app: exec format error", ProbeHint.WrongArchitecture)]
    [TestCase("Error: Cannot find module '/app/server.js'", ProbeHint.MissingFile)]
    [TestCase("java.lang.OutOfMemoryError: Java heap space", ProbeHint.OutOfMemory)]
    [TestCase("Application started. All is well, GET /api/health 200", null)]
    public void The_last_output_points_to_a_cause(string output, ProbeHint? hint) => Assert.That(ProbeHints.FromOutput(output), Is.EqualTo(hint));

    [TestCase("A")]
    [TestCase("A_")]
    [TestCase("MISSING ")]
    [TestCase("listening on 1")]
    [TestCase("required A_B ")]
    public void A_hostile_output_takes_no_time(string piece)
    {
        var output = string.Concat(Enumerable.Repeat(piece, 1_000_000 / piece.Length));
        var started = System.Diagnostics.Stopwatch.GetTimestamp();

        ProbeHints.FromOutput(output);
        ProbeHints.ListeningPort(output);

        Assert.That(System.Diagnostics.Stopwatch.GetElapsedTime(started), Is.LessThan(TimeSpan.FromSeconds(1)), "milliseconds; the rest is for a busy machine");
    }

    [TestCase("Now listening on: http://[::]:8080", 8080)]
    [TestCase("Listening on port 3000", 3000)]
    [TestCase("server listening at http://0.0.0.0:5000/", 5000)]
    [TestCase("Uvicorn running", null)]
    public void The_port_that_the_application_names_is_read_from_its_output(string output, int? port) =>
        Assert.That(ProbeHints.ListeningPort(output), Is.EqualTo(port));

    [Test]
    public void Every_hint_has_a_sentence() =>
        Assert.That(Enum.GetValues<ProbeHint>().Select(hint => hint.Sentence()), Has.None.Empty);

    [TestCase(ContainerState.Running, 0, false)]
    [TestCase(ContainerState.Created, 0, false)]
    [TestCase(ContainerState.Exited, 0, true)]
    [TestCase(ContainerState.Dead, 0, true)]
    [TestCase(ContainerState.Restarting, 0, true)]
    [TestCase(ContainerState.Running, 1, true)]
    public void An_end_and_a_restart_are_exits(ContainerState state, int restarts, bool exit)
    {
        var container = new ObservedContainer
        {
            Id = new ContainerId("c"),
            Name = "c",
            Labels = ImmutableSortedDictionary<string, string>.Empty,
            State = state,
            ImageId = "i",
            ExitCode = 3,
            RestartCount = restarts,
        };

        Assert.That(ExitWatch.Judge(container, 0) is not null, Is.EqualTo(exit));
        Assert.That(ExitWatch.Judge(container, 1) is not null, Is.EqualTo(exit && state != ContainerState.Running), "restarts before the watch");
    }

    [Test]
    public void A_removed_container_is_an_exit() => Assert.That(ExitWatch.Judge(null, 0)?.ToString(), Is.EqualTo("the container was removed"));
}
