using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace Orchestrator.Deployments;

/// <summary>In what each stack differs from its release, as it was last seen: written by whoever compares them, read by whoever shows stacks.</summary>
public sealed class DriftBoard
{
    private readonly ConcurrentDictionary<string, ImmutableArray<DriftNote>> _notes = new(StringComparer.Ordinal);

    public ImmutableArray<DriftNote> Of(string stack) => _notes.GetValueOrDefault(stack, []);

    public void Write(string stack, ImmutableArray<DriftNote> notes)
    {
        if (notes.IsEmpty) _notes.TryRemove(stack, out _);
        else _notes[stack] = notes;
    }

    /// <summary>Forgets stacks that are no more.</summary>
    public void Keep(IReadOnlySet<string> stacks)
    {
        foreach (var gone in _notes.Keys.Where(stack => !stacks.Contains(stack))) _notes.TryRemove(gone, out _);
    }
}
