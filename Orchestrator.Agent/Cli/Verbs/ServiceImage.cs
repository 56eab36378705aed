using System.Collections.Immutable;

namespace Orchestrator.Agent.Cli.Verbs;

/// <summary><c>SERVICE=REFERENCE</c> arguments.</summary>
internal static class ServiceImage
{
    public static ImmutableSortedDictionary<string, string> Parse(IEnumerable<string> arguments)
    {
        var images = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var argument in arguments)
        {
            var equals = argument.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0 || equals == argument.Length - 1)
                throw new CliFailure(ExitCodes.Usage, $"'{argument}' does not name a service and an image", null, "write it as --image app=registry.example/app:1.2.3");

            images[argument[..equals]] = argument[(equals + 1)..];
        }

        return images.ToImmutable();
    }
}
