using System.Collections.Immutable;
using CsCheck;
using Orchestrator.Deployments;
using Orchestrator.Journal.Sqlite;
using Orchestrator.Planning;
using Orchestrator.Stacks;

namespace Orchestrator.Tests.Journal.Sqlite;

[TestFixture]
public sealed class RoundTripTests
{
    private static readonly Gen<string> Text = Gen.String[0, 40];
    private static readonly Gen<DateTimeOffset> Instants = Gen.DateTimeOffset;

    private static readonly Gen<Generation> Generations = Gen.Select(Gen.Enum<Colour>(), Gen.Int, (colour, release) => new Generation(colour, release));

    private static readonly Gen<ImmutableSortedDictionary<string, Generation>> Live = Gen.Select(Text, Generations).Array[0, 5]
        .Select(pairs => pairs.DistinctBy(pair => pair.Item1).ToImmutableSortedDictionary(pair => pair.Item1, pair => pair.Item2, StringComparer.Ordinal));

    private static readonly Gen<StackState> States = Gen.Select(Text, Gen.Int, Live, Live, Instants, Gen.Bool, Gen.Bool,
        (stack, release, live, warm, until, maintenance, hasWarm) => new StackState
        {
            Stack = stack,
            CurrentRelease = release,
            Live = live,
            Warm = hasWarm ? new WarmState(release, warm, until) : null,
            Maintenance = maintenance,
        });

    private static readonly Gen<Deployment> Deployments = Gen.Select(
        Gen.Select(Gen.Enum<DeploymentKind>(), Text.Array[0, 4], Text, Gen.Int.Nullable(), Gen.Bool), Gen.Enum<DeploymentState>(), States, Instants,
        Gen.Select(Gen.Enum<FailureReason>(), Text, Text), Gen.Select(Gen.Long, Gen.Long), Gen.Bool,
        (request, state, before, at, failure, requests, suspended) => new Deployment
        {
            Id = new DeploymentId(1),
            Request = new DeploymentRequest
            {
                Stack = "garden",
                Kind = request.Item1,
                Images = request.Item2.Distinct().ToImmutableSortedDictionary(name => name, name => name + ":1", StringComparer.Ordinal),
                Version = request.Item3,
                ToRelease = request.Item4,
                Force = request.Item5,
            },
            State = state,
            CreatedAt = default,
            StartedAt = at,
            EndedAt = suspended ? null : at,
            Release = request.Item4,
            Before = before,
            Failure = new StepFailure(failure.Item1, failure.Item2, failure.Item3),
            Requests = new RequestCount(requests.Item1, requests.Item2),
            Suspended = suspended,
        });

    [Test]
    public void Every_stack_state_survives_json() => States.Sample(state =>
    {
        var json = JournalJson.Write(state);
        var read = JournalJson.Read<StackState>(json);
        return JournalJson.Write(read) == json && read.Live.SequenceEqual(state.Live) && read.Warm?.Until == state.Warm?.Until && read.Stack == state.Stack;
    });

    [Test]
    public void Every_instant_survives_and_keeps_its_order() => Gen.Select(Instants, Instants).Sample(pair =>
        Timestamp.Read(Timestamp.Write(pair.Item1)) == pair.Item1 &&
        Math.Sign(string.CompareOrdinal(Timestamp.Write(pair.Item1), Timestamp.Write(pair.Item2))) == pair.Item1.CompareTo(pair.Item2));

    [Test]
    public async Task Every_deployment_survives_the_database()
    {
        using var fixture = await JournalFixture.OpenAsync();
        await Deployments.SampleAsync(async sample =>
        {
            var admitted = (await fixture.Journal.AdmitAsync(JournalFixture.Deploy("garden"), null, CancellationToken.None)).Deployment;
            var deployment = sample with { Id = admitted.Id, CreatedAt = admitted.CreatedAt };
            await fixture.Journal.SaveDeploymentAsync(deployment, CancellationToken.None);

            var found = await fixture.Journal.FindDeploymentAsync(deployment.Id, CancellationToken.None);

            Assert.That(Normal(found), Is.EqualTo(Normal(deployment)));
        }, iter: 100, threads: 1);
    }

    // The database keeps instants in UTC.
    private static string Normal(Deployment? deployment) =>
        JournalJson.Write(deployment is null ? null : deployment with { StartedAt = deployment.StartedAt?.ToUniversalTime(), EndedAt = deployment.EndedAt?.ToUniversalTime() });
}
