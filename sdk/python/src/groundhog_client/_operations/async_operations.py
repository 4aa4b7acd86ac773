"""One asynchronous method per operation of the service."""

from groundhog_client._operations import allocations, events, metrics, service, transfer
from groundhog_client._operations.analysis import delay, estimates, impact, posterior
from groundhog_client._operations.assignments import assignments, flags, splits, units
from groundhog_client._operations.experiments import experiments
from groundhog_client._operations.simulations import plans, simulations
from groundhog_client._protocol.operation_methods import async_iterator, async_method


class AsyncOperations:
    """The methods of a client, named as the operations; each is documented where its request is described."""

    record_metrics = async_method(metrics.record_metrics)
    record_metrics_in_bulk = async_method(metrics.record_metrics_in_bulk)
    read_metrics = async_method(metrics.read_metrics)
    each_daily_total = async_iterator(metrics.read_metrics)
    delete_metrics = async_method(metrics.delete_metrics)

    read_allocation = async_method(allocations.read_allocation)
    read_allocation_history = async_method(allocations.read_allocation_history)
    each_revision = async_iterator(allocations.read_allocation_history)

    create_experiment = async_method(experiments.create_experiment)
    list_experiments = async_method(experiments.list_experiments)
    each_experiment = async_iterator(experiments.list_experiments)
    read_experiment = async_method(experiments.read_experiment)
    change_experiment = async_method(experiments.change_experiment)
    delete_experiment = async_method(experiments.delete_experiment)
    roll_out_variant = async_method(experiments.roll_out_variant)
    undo_rollout = async_method(experiments.undo_rollout)
    read_posterior = async_method(posterior.read_posterior)
    read_delay = async_method(delay.read_delay)
    add_variant = async_method(experiments.add_variant)
    change_variant = async_method(experiments.change_variant)
    delete_variant = async_method(experiments.delete_variant)
    read_gain = async_method(impact.read_gain)
    compare_with_control = async_method(impact.compare_with_control)
    read_estimates = async_method(estimates.read_estimates)
    export_experiment = async_method(transfer.export_experiment)
    import_experiment = async_method(transfer.import_experiment)

    plan_experiment = async_method(plans.plan_experiment)
    simulate_email = async_method(simulations.simulate_email)
    simulate_clv = async_method(simulations.simulate_clv)
    simulate_replay = async_method(simulations.simulate_replay)
    list_simulations = async_method(simulations.list_simulations)
    each_simulation = async_iterator(simulations.list_simulations)
    read_simulation = async_method(simulations.read_simulation)
    cancel_simulation = async_method(simulations.cancel_simulation)
    export_simulation = async_method(simulations.export_simulation)

    assign = async_method(assignments.assign)
    assign_many = async_method(assignments.assign_many)
    read_split = async_method(splits.read_split)
    read_assignment = async_method(units.read_assignment)
    list_assignments = async_method(units.list_assignments)
    each_assignment = async_iterator(units.list_assignments)
    override_assignment = async_method(units.override_assignment)
    merge_units = async_method(units.merge_units)
    forget_unit = async_method(units.forget_unit)

    evaluate_flag = async_method(flags.evaluate_flag)
    evaluate_flags = async_method(flags.evaluate_flags)

    record_events = async_method(events.record_events)

    check_alive = async_method(service.check_alive)
    check_ready = async_method(service.check_ready)
    list_policies = async_method(service.list_policies)
    read_prometheus_metrics = async_method(service.read_prometheus_metrics)
