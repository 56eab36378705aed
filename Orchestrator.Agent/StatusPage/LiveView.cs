using System.Collections.Immutable;
using Orchestrator.Agent.StatusPage.Views;
using Orchestrator.Deployments;

namespace Orchestrator.Agent.StatusPage;

/// <summary>What one visitor's page shows, and from that, what of it has to be sent again.</summary>
internal sealed class LiveView(Visitor visitor, TrafficPulse pulse)
{
    private const int KeptMessages = 6;

    private readonly Dictionary<string, string> _shown = new(StringComparer.Ordinal);
    private readonly Dictionary<DeploymentId, ImmutableArray<string>> _messages = [];
    private ImmutableArray<string> _stacks;
    private long _pulseSent;

    public void Note(DeploymentEvent happened)
    {
        var id = happened.Deployment.Id;
        if (happened.Deployment.Ended)
        {
            _messages.Remove(id);
            return;
        }

        if (happened.Message is not { Length: > 0 } message) return;
        var lines = _messages.GetValueOrDefault(id, []);
        _messages[id] = [.. lines.Skip(Math.Max(0, lines.Length - KeptMessages + 1)), message];
    }

    /// <summary>The whole board, and remembers it as shown.</summary>
    public Html Render(Board board)
    {
        var stacks = PiecesOf(board);
        Remember(board, stacks);
        return PageView.Board(board, stacks);
    }

    /// <returns>Element id → markup; empty: nothing has changed.</returns>
    public ImmutableSortedDictionary<string, string> Changes(Board board)
    {
        var stacks = PiecesOf(board);
        var names = stacks.Select(stack => stack.Stack.Status.Stack).ToImmutableArray();
        if (_stacks.IsDefault || !names.SequenceEqual(_stacks) || ShapeChanged(stacks))
            return ImmutableSortedDictionary<string, string>.Empty.Add("board", Render(board).ToString());

        var changed = Everything(board, stacks)
            .Select(piece => KeyValuePair.Create(piece.Id, piece.Markup.ToString()))
            .Where(piece => _shown.GetValueOrDefault(piece.Key) != piece.Value)
            .ToImmutableSortedDictionary();
        foreach (var (id, markup) in changed) _shown[id] = markup;
        return changed;
    }

    /// <returns>The points that have not been sent yet, by stack.</returns>
    public ImmutableSortedDictionary<string, double?[][]> Pulse(Board board)
    {
        var points = Visible(board).ToImmutableSortedDictionary(stack => stack.Status.Stack, stack => pulse.PointsOf(stack.Status.Stack, _pulseSent));
        _pulseSent = points.Values.SelectMany(list => list).Select(point => point.At).Append(_pulseSent).Max();
        return points.Where(stack => !stack.Value.IsEmpty)
            .ToImmutableSortedDictionary(stack => stack.Key, stack => stack.Value.Select(point => new[] { point.At, point.Requests, point.Failed, point.P95 }).ToArray());
    }

    private IEnumerable<StackBoard> Visible(Board board) => board.Stacks.Where(stack => visitor.MaySee(stack.Status.Stack));

    private ImmutableArray<(StackBoard Stack, ImmutableArray<Piece> Pieces)> PiecesOf(Board board) =>
        [.. Visible(board).Select(stack => (stack, StackView.Pieces(stack, visitor, pulse.TotalsOf(stack.Status.Stack), MessagesOf(stack))))];

    private ImmutableArray<string> MessagesOf(StackBoard stack) =>
        stack.Status.Running is { } running ? _messages.GetValueOrDefault(running.Id, []) : [];

    private static IEnumerable<Piece> Everything(Board board, ImmutableArray<(StackBoard Stack, ImmutableArray<Piece> Pieces)> stacks) =>
        stacks.SelectMany(stack => stack.Pieces).Prepend(PageView.Overview(board, [.. stacks.Select(stack => stack.Stack)]));

    /// <summary>A stack that has become damaged, or is no longer, has other elements: then pieces have no place to go to.</summary>
    private bool ShapeChanged(ImmutableArray<(StackBoard Stack, ImmutableArray<Piece> Pieces)> stacks)
    {
        var ids = stacks.SelectMany(stack => stack.Pieces).Select(piece => piece.Id).ToHashSet();
        return ids.Count + 1 != _shown.Count || !ids.All(_shown.ContainsKey);
    }

    private void Remember(Board board, ImmutableArray<(StackBoard Stack, ImmutableArray<Piece> Pieces)> stacks)
    {
        _stacks = [.. stacks.Select(stack => stack.Stack.Status.Stack)];
        _shown.Clear();
        foreach (var piece in Everything(board, stacks)) _shown[piece.Id] = piece.Markup.ToString();
    }
}
