using System.Text;
using CsCheck;
using Orchestrator.Stacks;

namespace Orchestrator.Tests.Stacks;

/// <summary>Whatever a file holds, the reader answers; it never throws, and what it accepts can be written down and hashed.</summary>
internal sealed class FuzzTests
{
    private static readonly string Plan = File.ReadAllText(Path.Combine(Sources.Directory, "Orchestrator.Tests", "Stacks", "Fixtures", "operations-plan.compose.yml"));

    private static readonly string[] Pieces =
    [
        "services:", "\n", "  ", "    ", "a:", "image: x", "ports: ", "[", "]", "{", "}", ", ", "- ", "\"", "'", "&a ", "*a", "<<: ", "!!str ", "!reset ", "|", ">", "#", "\t",
        "${A", ":-", "}", "$", "x-basmalin: ", "route: ", "gate: ", "http: /", "depends_on: ", "80:80", "volumes: ", "a:/b", "environment: ", "A=1", "~", "null", "---", "...", "%YAML 1.2",
        "? ", ": ", "\u0000", "\uFEFF", "é", "\\", "1s", "deploy: ", "replicas: ", "networks: ", "secrets: ", "configs: ", "profiles: ", "healthcheck: ", "test: ", "build: ", "tmpfs: ", "/x",
    ];

    [Test]
    public void Random_bytes_never_throw() =>
        Gen.Byte.Array[0, 200].Sample(bytes => Answers(Encoding.Latin1.GetString(bytes)));

    [Test]
    public void Random_pieces_of_Compose_never_throw() =>
        Gen.OneOf(Pieces).Array[0, 60].Sample(pieces => Answers(string.Concat(pieces)), iter: 3000);

    [Test]
    public void Mutations_of_a_real_file_never_throw()
    {
        var mutation = Gen.Select(Gen.Int[0, Plan.Length - 1], Gen.Int[0, 40], Gen.OneOf(Pieces));
        mutation.Array[1, 6].Sample(mutations => Answers(mutations.Aggregate(Plan, Mutated)), iter: 400);
    }

    [Test]
    public void A_file_cut_off_anywhere_never_throws() =>
        Gen.Int[0, Plan.Length].Sample(length => Answers(Plan[..length]), iter: 300);

    [Test]
    public void Lines_in_any_order_never_throw()
    {
        var lines = Plan.Split('\n');
        Gen.Shuffle(lines).Sample(shuffled => Answers(string.Join('\n', shuffled)), iter: 100);
    }

    private static string Mutated(string text, (int At, int Cut, string Piece) change)
    {
        var at = Math.Min(change.At, text.Length);
        return string.Concat(text.AsSpan(0, at), change.Piece, text.AsSpan(Math.Min(text.Length, at + change.Cut)));
    }

    private static bool Answers(string content)
    {
        var result = Compose.Read(content, ("A", "a value"));
        _ = ComposeReader.ReferencedVariables(content);
        foreach (var finding in result.Findings) Assert.That(finding.Line >= 1 && finding.Column >= 1, Is.True, finding.ToString());

        if (result.Stack is not { } stack) return result.Errors.Any();

        var json = StackJson.Write(stack);
        _ = stack.Services.Select(SpecHash.Of).ToArray();
        return StackJson.Write(StackJson.Read(json)) == json;
    }
}
